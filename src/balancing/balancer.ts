import type { Target } from '../entities/target.ts';
import type { Upstream } from '../entities/upstream.ts';
import type { Algorithm } from './algorithm.ts';
import { algorithmOf } from './algorithms.ts';
import type { Counter, HealthBook } from './health.ts';
import { HealthChecker } from './health-checker.ts';
import { Peer, type Presentation, peerKey } from './peer.ts';
import { TargetAddresses, type TargetAddressesOptions } from './target-addresses.ts';
import { Thresholds } from './thresholds.ts';

export interface BalancerOptions extends Pick<TargetAddressesOptions, 'resolver' | 'clock' | 'onFailure' | 'isWanted'> {
  readonly health: HealthBook;
  /** What a client is told when there is nobody to serve it. */
  readonly noPeer: string;
}

/** How requests for an upstream are shared by its targets. */
export class Balancer {
  upstream: Upstream;
  peers: readonly Peer[] = [];
  /** Why no request may pass it; null: it works. */
  problem: string | null = null;
  /** By the clock. */
  usedAt: number;
  #targets = new Map<string, TargetAddresses>();
  #algorithm: Algorithm;
  #passive: Thresholds | null = null;
  #clientCertificate: Presentation['clientCertificate'] = null;
  #checker: HealthChecker | null = null;
  #started = false;
  /** Until every name was asked for once. */
  #asking: Promise<void> | null = null;
  readonly #options: BalancerOptions;

  constructor(upstream: Upstream, options: BalancerOptions) {
    this.upstream = upstream;
    this.#options = options;
    this.#algorithm = algorithmOf(upstream);
    this.usedAt = options.clock.now();
  }

  get noPeer(): string {
    return this.#options.noPeer;
  }

  /** Takes over what was configured. What is known of peers that stay is kept. */
  configure(upstream: Upstream, targets: readonly Target[], clientCertificate: Presentation['clientCertificate']): void {
    const checksAnew =
      !Bun.deepEquals(upstream.healthchecks?.active, this.upstream.healthchecks?.active) ||
      upstream.host_header !== this.upstream.host_header ||
      !Bun.deepEquals(clientCertificate, this.#clientCertificate);
    if (upstream.algorithm !== this.upstream.algorithm || upstream.slots !== this.upstream.slots) this.#algorithm = algorithmOf(upstream);
    this.upstream = upstream;
    this.#clientCertificate = clientCertificate;
    const passive = upstream.healthchecks?.passive;
    this.#passive = passive && this.usesHealthChecks ? new Thresholds(passive) : null;
    const before = this.#targets;
    this.#targets = new Map(targets.map(row => [row.target, this.#targetOf(row, before.get(row.target))]));
    for (const [name, target] of before) if (!this.#targets.has(name)) target.close();
    this.#arrange(true);
    if (!this.#started) return;
    this.#ask();
    if (checksAnew) this.#check();
  }

  /** Begins to look for the addresses of names, and to check how peers are. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#check();
    this.#ask();
  }

  close(): void {
    this.#checker?.close();
    for (const target of this.#targets.values()) target.close();
    this.#options.health.forget(this.upstream.id);
  }

  get targets(): Iterable<TargetAddresses> {
    return this.#targets.values();
  }

  /** Whether health counts at all, as Kong decides it. */
  get usesHealthChecks(): boolean {
    const { active, passive } = this.upstream.healthchecks ?? {};
    const failures = passive?.unhealthy;
    return Boolean(
      active?.healthy?.interval || active?.unhealthy?.interval || failures?.tcp_failures || failures?.timeouts || failures?.http_failures,
    );
  }

  /** Of its weight, so much could serve. */
  get weight(): { readonly total: number; readonly available: number } {
    let total = 0;
    let available = 0;
    for (const peer of this.peers) {
      total += peer.weight;
      if (peer.health.isGood) available += peer.weight;
    }
    return { total, available };
  }

  /** Enough of it can serve. */
  get isHealthy(): boolean {
    const { total, available } = this.weight;
    return total > 0 && (available / total) * 100 > (this.upstream.healthchecks?.threshold ?? 0);
  }

  /** A request comes. Resolves once every name was asked for; null: they were. */
  begin(): Promise<unknown> | null {
    this.usedAt = this.#options.clock.now();
    this.start();
    return this.#asking;
  }

  pick(tried: readonly Peer[], hash: string): Peer | null {
    return this.isHealthy ? this.#algorithm.pick(tried, hash) : null;
  }

  answered(peer: Peer, status: number): void {
    peer.answered = true;
    if (this.#passive === null) return;
    const counter = this.#passive.counterOf(status);
    if (counter !== null) this.#observe(peer, counter, this.#passive.limits[counter]);
  }

  failed(peer: Peer, how: 'tcp' | 'timeout'): void {
    peer.answered = false;
    if (this.#passive !== null) this.#observe(peer, how, this.#passive.limits[how]);
  }

  ended(peer: Peer, milliseconds: number): void {
    this.#algorithm.ended?.(peer, milliseconds);
  }

  #observe(peer: Peer, counter: Counter, limit: number): void {
    if (limit > 0 && peer.health.minds(counter))
      this.#options.health.observe({ upstream: this.upstream.id, peer: peer.key, counter, limit });
  }

  /** Who does not count does not check either: one process for all. */
  #check(): void {
    const { health, clock } = this.#options;
    const checks = this.upstream.healthchecks?.active;
    this.#checker?.close();
    this.#checker = null;
    if (!checks || !health.counts) return;
    this.#checker = new HealthChecker({
      checks,
      clock,
      hostHeader: this.upstream.host_header,
      clientCertificate: this.#clientCertificate,
      peers: () => this.peers,
      observe: (peer, counter, limit) => this.#observe(peer, counter, limit),
    });
  }

  #targetOf(row: Target, before: TargetAddresses | undefined): TargetAddresses {
    if (before !== undefined) {
      before.row = row;
      return before;
    }
    return new TargetAddresses(row, { ...this.#options, onChange: () => this.#arrange(false) });
  }

  /** Asks for names that were not asked for yet. */
  #ask(): void {
    const asked = [...this.#targets.values()].map(target => target.start()).filter(first => first !== null);
    const asking = Promise.all(asked).then(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    this.#asking = asked.length > 0 ? asking : null;
  }

  /** Makes peers of what the targets stand for now; those that were there before stay the same. `anew`: they show themselves anew. */
  #arrange(anew: boolean): void {
    const { health } = this.#options;
    const before = new Map(this.peers.map(peer => [peer.key, peer]));
    const presentation: Presentation = {
      hostHeader: this.upstream.host_header,
      useSrvName: this.upstream.use_srv_name === true,
      clientCertificate: this.#clientCertificate,
    };
    const peers = new Map<string, Peer>();
    const serving = [...this.#targets.values()].filter(({ weight }) => weight > 0).sort(byNameAndPort);
    for (const { host, addresses, weight } of serving) {
      for (const address of addresses) {
        const key = peerKey(host, address);
        if (peers.has(key)) continue;
        const peer = before.get(key) ?? new Peer(host, address, health.of(this.upstream.id, key), presentation);
        peer.weight = address.weight ?? weight;
        if (anew) peer.present(presentation, address.srvName);
        peers.set(key, peer);
      }
    }
    this.peers = [...peers.values()];
    health.keep(this.upstream.id, new Set(peers.keys()));
    this.#algorithm.arrange(this.peers, this.#targets.size);
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const byNameAndPort = (a: TargetAddresses, b: TargetAddresses) => compare(a.host, b.host) || a.port - b.port;
