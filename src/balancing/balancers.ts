import { type Certificate, certificate } from '../entities/certificate.ts';
import { type Target, target } from '../entities/target.ts';
import { type Upstream, upstream } from '../entities/upstream.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Change, Store } from '../store/store.ts';
import { Balancer } from './balancer.ts';
import { HealthBook, type HealthChange, type Observation } from './health.ts';
import { HostBalancers } from './host-balancers.ts';
import type { Resolver } from './resolver.ts';

/** Kong's words. */
const NO_PEER = 'failure to get a peer from the ring-balancer';

export interface BalancersOptions {
  readonly store: Store;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly log: Log;
  /** A certificate and its key, to show. Throws why there are none. */
  readonly pairOf: (row: Certificate) => { readonly cert: string; readonly key: string };
  /** Hosts that are no upstreams are looked up here too; else that is left to `fetch`. */
  readonly lookUpHosts: boolean;
  /** Where what is seen of peers is counted. Null: here. */
  readonly countedElsewhere: ((observation: Observation) => void) | null;
}

/** The upstreams that there are, by the names that hosts of services may be. */
export class Balancers {
  /** Counts how often a name came or went. */
  version = 0;
  readonly health: HealthBook;
  readonly #byName = new Map<string, Balancer>();
  readonly #byId = new Map<string, Balancer>();
  readonly #upstreamOfTarget = new Map<string, string>();
  readonly #hosts: HostBalancers;
  readonly #options: BalancersOptions;
  #started = false;

  constructor(options: BalancersOptions) {
    this.#options = options;
    this.health = new HealthBook(options.countedElsewhere);
    this.#hosts = new HostBalancers({ ...options, health: this.health, onForgotten: () => this.version++ });
    if (this.health.counts) this.health.onChange((change, hasTurned) => void (hasTurned && this.#report(change)));
  }

  /** The upstream of this name; else the addresses of the host, where hosts are looked up here. */
  find(host: string, port: number): Balancer | null {
    return this.#byName.get(host) ?? (this.#options.lookUpHosts ? this.#hosts.find(host, port) : null);
  }

  byId(id: string): Balancer | null {
    return this.#byId.get(id) ?? null;
  }

  /** Begins to look for addresses; until then nothing goes out. */
  start(): void {
    this.#started = true;
    for (const balancer of this.#byId.values()) balancer.start();
  }

  /** Serves what the store holds by now, as far as the changes touch it. */
  apply(changes: readonly Change[]): void {
    const touched = new Set<string>();
    for (const { entity, id, row } of changes) {
      if (entity.name === upstream.name) touched.add(id);
      if (entity.name === certificate.name) for (const row of this.#showing(id)) touched.add(row.id);
      if (entity.name !== target.name) continue;
      const before = this.#upstreamOfTarget.get(id);
      if (before !== undefined) touched.add(before);
      this.#upstreamOfTarget.delete(id);
      if (row === null) continue;
      touched.add((row as Target).upstream.id);
      this.#upstreamOfTarget.set(id, (row as Target).upstream.id);
    }
    for (const id of touched) this.#renew(id);
  }

  /** What of them does not work, in words. */
  get problems(): readonly string[] {
    const broken = [...this.#byId.values()].filter(({ problem }) => problem !== null);
    return broken.map(({ upstream: { name, id }, problem }) => `upstream ${name} (${id}): ${problem}`);
  }

  close(): void {
    for (const balancer of this.#byId.values()) balancer.close();
    this.#hosts.close();
  }

  #renew(id: string): void {
    const { store } = this.#options;
    const row = store.find(upstream, id);
    const before = this.#byId.get(id);
    if (before !== undefined && before.upstream.name !== row?.name && this.#byName.get(before.upstream.name) === before) {
      this.#byName.delete(before.upstream.name);
      this.version++;
    }
    if (row === undefined) {
      before?.close();
      this.#byId.delete(id);
      return;
    }
    const balancer = before ?? this.#open(row);
    this.#configure(balancer, row);
    if (this.#byName.get(row.name) === balancer) return;
    this.#byName.set(row.name, balancer);
    this.version++;
  }

  #configure(balancer: Balancer, row: Upstream): void {
    const { store, pairOf } = this.#options;
    const shown = row.client_certificate && store.find(certificate, row.client_certificate.id);
    let pair: ReturnType<typeof pairOf> | null = null;
    balancer.problem = null;
    try {
      pair = shown ? pairOf(shown) : null;
    } catch (error) {
      balancer.problem = (error as Error).message;
    }
    balancer.configure(row, [...store.pointingAt(target, 'upstream', row.id)], pair);
  }

  /** The upstreams whose targets are shown a certificate. */
  #showing(certificateId: string): Iterable<Upstream> {
    const { store } = this.#options;
    return store.entities.has(upstream.name) ? store.pointingAt(upstream, 'client_certificate', certificateId) : [];
  }

  #open(row: Upstream): Balancer {
    const { resolver, clock, log } = this.#options;
    const onFailure = (name: string, error: Error) =>
      log.warn('a target cannot be found', { upstream: row.name, name, error: error.message });
    const balancer = new Balancer(row, { resolver, clock, onFailure, health: this.health, noPeer: NO_PEER });
    if (this.#started) balancer.start();
    this.#byId.set(row.id, balancer);
    return balancer;
  }

  #report({ upstream: id, peer, state }: HealthChange): void {
    this.#options.log.warn(`a target is ${state}`, { upstream: this.#byId.get(id)?.upstream.name ?? id, target: peer });
  }
}
