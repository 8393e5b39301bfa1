import type { Algorithm } from './algorithm.ts';
import type { Peer } from './peer.ts';

/** After so long, what was measured before counts for a third. */
const DECAY_MS = 10_000;

/** Of two peers drawn by lot, the one that has been quicker of late, for its weight: a moving average that fades. */
export class Latency implements Algorithm {
  #peers: readonly Peer[] = [];
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  arrange(peers: readonly Peer[]): void {
    const known = peers.filter(({ latencyAt }) => latencyAt > 0);
    const average = known.reduce((sum, { latency }) => sum + latency, 0) / known.length;
    // Who is new must not get all requests because it was never slow.
    if (known.length > 0) {
      for (const peer of peers) {
        if (peer.latencyAt > 0) continue;
        peer.latency = average;
        peer.latencyAt = this.#now();
      }
    }
    this.#peers = peers;
  }

  pick(tried: readonly Peer[]): Peer | null {
    const open = this.#peers.filter(peer => peer.health.isGood && !tried.includes(peer));
    const index = Math.floor(Math.random() * open.length);
    const one = open[index];
    const other = open[(index + 1 + Math.floor(Math.random() * (open.length - 1))) % open.length];
    if (one === undefined || other === undefined) return one ?? null;
    return this.#score(other) < this.#score(one) ? other : one;
  }

  ended(peer: Peer, milliseconds: number): void {
    const weight = this.#fading(peer);
    peer.latency = peer.latency * weight + milliseconds * (1 - weight);
    peer.latencyAt = this.#now();
  }

  #score(peer: Peer): number {
    return (peer.latency * this.#fading(peer)) / peer.weight;
  }

  #fading({ latencyAt }: Peer): number {
    return latencyAt === 0 ? 0 : Math.exp(-Math.max(0, this.#now() - latencyAt) / DECAY_MS);
  }
}
