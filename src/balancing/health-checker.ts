import type { Clock } from '../lib/clock.ts';
import type { Counter } from './health.ts';
import type { Peer } from './peer.ts';
import { type Finding, type ProbeOptions, probe } from './probe.ts';
import { Thresholds } from './thresholds.ts';

export interface HealthCheckerOptions extends ProbeOptions {
  readonly clock: Clock;
  /** Those there are at the moment. */
  peers(): readonly Peer[];
  observe(peer: Peer, counter: Counter, limit: number): void;
}

/** Asks the peers of an upstream how they are, again and again: those that are well at one interval, the others at another. */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #thresholds: Thresholds;
  readonly #stops: (() => void)[];
  #closed = false;

  constructor(options: HealthCheckerOptions) {
    const { healthy, unhealthy } = options.checks;
    this.#options = options;
    this.#thresholds = new Thresholds(options.checks);
    this.#stops = [
      this.#every(healthy?.interval ?? 0, peer => peer.health.isGood),
      this.#every(unhealthy?.interval ?? 0, peer => !peer.health.isGood),
    ];
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
  }

  /** A round begins when the interval has passed, unless the one before is not over yet. */
  #every(seconds: number, isMeant: (peer: Peer) => boolean): () => void {
    if (seconds === 0) return () => {};
    const { clock, peers } = this.#options;
    let running = false;
    let stop = () => {};
    const tick = () => {
      stop = clock.after(seconds * 1000, tick);
      if (running) return;
      running = true;
      void this.#round(peers().filter(isMeant)).finally(() => {
        running = false;
      });
    };
    stop = clock.after(seconds * 1000, tick);
    return () => stop();
  }

  async #round(peers: readonly Peer[]): Promise<void> {
    const { concurrency } = this.#options.checks;
    const waiting = [...peers];
    const work = async () => {
      for (let peer = waiting.shift(); peer !== undefined && !this.#closed; peer = waiting.shift()) {
        this.#take(peer, await probe(peer, this.#options));
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency ?? 1, peers.length) }, work));
  }

  #take(peer: Peer, finding: Finding): void {
    const counter = typeof finding === 'number' ? this.#thresholds.counterOf(finding) : finding === 'connected' ? 'success' : finding;
    const limit = counter === null ? 0 : this.#thresholds.limits[counter];
    if (!this.#closed && counter !== null && limit > 0) this.#options.observe(peer, counter, limit);
  }
}
