/** What is known of a peer: `mostly_` while what is counted points the other way, but not often enough. */
export type HealthState = 'healthy' | 'mostly_healthy' | 'mostly_unhealthy' | 'unhealthy';

/** What is counted: successes, and failures of each kind. */
export type Counter = 'success' | 'http' | 'tcp' | 'timeout';

/** One thing that was seen of a peer, and how many of its kind turn the peer's health. */
export interface Observation {
  /** The id of an upstream, and the key of one of its peers. */
  readonly upstream: string;
  readonly peer: string;
  readonly counter: Counter;
  readonly limit: number;
}

export interface HealthChange {
  readonly upstream: string;
  readonly peer: string;
  readonly state: HealthState;
}

/** Counts as Kong's lua-resty-healthcheck does: a success forgets failures of every kind, a failure forgets successes. */
export class PeerHealth {
  state: HealthState = 'healthy';
  #success = 0;
  #failures = { http: 0, tcp: 0, timeout: 0 };

  get isGood(): boolean {
    return this.state === 'healthy' || this.state === 'mostly_healthy';
  }

  /** Whether one more of these could change anything. */
  minds(counter: Counter): boolean {
    return this.state !== (counter === 'success' ? 'healthy' : 'unhealthy');
  }

  /** Returns whether the state is another now. */
  count(counter: Counter, limit: number): boolean {
    if (!this.minds(counter)) return false;
    const before = this.state;
    if (counter === 'success') {
      this.#failures = { http: 0, tcp: 0, timeout: 0 };
      if (++this.#success >= limit) this.state = 'healthy';
      else if (before === 'unhealthy') this.state = 'mostly_unhealthy';
    } else {
      this.#success = 0;
      if (++this.#failures[counter] >= limit) this.state = 'unhealthy';
      else if (before === 'healthy') this.state = 'mostly_healthy';
    }
    return this.state !== before;
  }

  /** Forgets what was counted. Returns whether the state is another now. */
  set(state: HealthState): boolean {
    const before = this.state;
    this.state = state;
    this.#success = 0;
    this.#failures = { http: 0, tcp: 0, timeout: 0 };
    return before !== state;
  }
}

/** `hasTurned`: the peer may serve now and could not before, or the other way. */
type Listener = (change: HealthChange, hasTurned: boolean) => void;

/**
 * The health of every peer, by upstream and key. One process counts; others hand on to it what they see (`elsewhere`) and
 * are told what came of it.
 */
export class HealthBook {
  readonly #upstreams = new Map<string, Map<string, PeerHealth>>();
  readonly #elsewhere: ((observation: Observation) => void) | null;
  readonly #listeners: Listener[] = [];

  constructor(elsewhere: ((observation: Observation) => void) | null = null) {
    this.#elsewhere = elsewhere;
  }

  /** Whether it is this process that counts. */
  get counts(): boolean {
    return this.#elsewhere === null;
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  of(upstream: string, peer: string): PeerHealth {
    const peers = this.#upstreams.get(upstream) ?? new Map<string, PeerHealth>();
    this.#upstreams.set(upstream, peers);
    const health = peers.get(peer) ?? new PeerHealth();
    peers.set(peer, health);
    return health;
  }

  observe(observation: Observation): void {
    const { upstream, peer, counter, limit } = observation;
    const health = this.of(upstream, peer);
    if (!health.minds(counter)) return;
    const wasGood = health.isGood;
    if (this.#elsewhere !== null) this.#elsewhere(observation);
    else if (health.count(counter, limit)) this.#tell({ upstream, peer, state: health.state }, wasGood !== health.isGood);
  }

  set({ upstream, peer, state }: HealthChange): void {
    const health = this.of(upstream, peer);
    const wasGood = health.isGood;
    if (health.set(state)) this.#tell({ upstream, peer, state }, wasGood !== health.isGood);
  }

  /** All that differs from what is taken for granted of a peer, for those who begin now. */
  *changes(): Iterable<HealthChange> {
    for (const [upstream, peers] of this.#upstreams) {
      for (const [peer, { state }] of peers) if (state !== 'healthy') yield { upstream, peer, state };
    }
  }

  /** Forgets all peers of an upstream but these; who does not count keeps what it was told, and would not be told again. */
  keep(upstream: string, peers: ReadonlySet<string>): void {
    const known = this.#upstreams.get(upstream) ?? new Map<string, PeerHealth>();
    for (const [peer, { state }] of known) if (!peers.has(peer) && (this.counts || state === 'healthy')) known.delete(peer);
    if (known.size === 0) this.#upstreams.delete(upstream);
  }

  forget(upstream: string): void {
    this.#upstreams.delete(upstream);
  }

  #tell(change: HealthChange, hasTurned: boolean): void {
    for (const listener of this.#listeners) listener(change, hasTurned);
  }
}
