import type { Upstream } from '../entities/upstream.ts';
import type { Algorithm } from './algorithm.ts';
import { ConsistentHashing } from './consistent-hashing.ts';
import { Latency } from './latency.ts';
import { LeastConnections } from './least-connections.ts';
import { RoundRobin } from './round-robin.ts';

export function algorithmOf({ algorithm, slots }: Pick<Upstream, 'algorithm' | 'slots'>): Algorithm {
  switch (algorithm) {
    case 'consistent-hashing':
      return new ConsistentHashing(slots ?? 0);
    case 'least-connections':
      return new LeastConnections();
    case 'latency':
      return new Latency();
    default:
      return new RoundRobin();
  }
}
