import type { Target } from '../entities/target.ts';
import type { Upstream } from '../entities/upstream.ts';
import { formatHost, parseHost } from '../lib/host.ts';
import type { Log } from '../lib/log.ts';
import { Balancer, type BalancerOptions } from './balancer.ts';

const NOT_FOUND = 'name resolution failed';
/** A host that nobody asks for is not looked up for ever. */
const FORGOTTEN_AFTER_MS = 600_000;

export interface HostBalancersOptions extends Pick<BalancerOptions, 'resolver' | 'clock' | 'health'> {
  readonly log: Log;
  /** A balancer that was found is no longer in use. */
  readonly onForgotten: () => void;
}

/** Hosts that are names and no upstreams: what each stands for serves in turn, as if it were the one target of an upstream. */
export class HostBalancers {
  readonly #options: HostBalancersOptions;
  readonly #balancers = new Map<string, Balancer>();

  constructor(options: HostBalancersOptions) {
    this.#options = options;
  }

  /** Null for a host that is an address. */
  find(host: string, port: number): Balancer | null {
    const parsed = parseHost(host);
    if (typeof parsed === 'string' || parsed.kind !== 'name') return null;
    const name = formatHost({ ...parsed, port }, port);
    const known = this.#balancers.get(name);
    if (known !== undefined) return known;
    const balancer = this.#open(name);
    this.#balancers.set(name, balancer);
    return balancer;
  }

  close(): void {
    for (const balancer of this.#balancers.values()) balancer.close();
  }

  #open(name: string): Balancer {
    const { resolver, clock, health, log } = this.#options;
    const onFailure = (host: string, error: Error) => log.warn('a host cannot be found', { host, error: error.message });
    const isWanted = () => {
      if (clock.now() - balancer.usedAt < FORGOTTEN_AFTER_MS) return true;
      balancer.close();
      this.#balancers.delete(name);
      this.#options.onForgotten();
      return false;
    };
    const row = { id: name, name, algorithm: 'round-robin', slots: null, healthchecks: null, host_header: null, use_srv_name: false };
    const upstream = row as unknown as Upstream;
    const balancer = new Balancer(upstream, { resolver, clock, health, onFailure, isWanted, noPeer: NOT_FOUND });
    balancer.configure(upstream, [{ id: name, target: name, weight: 100, upstream: { id: name } } as Target], null);
    return balancer;
  }
}
