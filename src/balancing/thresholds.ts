import type { Upstream } from '../entities/upstream.ts';
import type { Counter } from './health.ts';

type Checks = Upstream['healthchecks'];

/** What statuses mean, and how many of each kind it takes; 0: it does not count. */
export class Thresholds {
  readonly limits: Readonly<Record<Counter, number>>;
  readonly #healthy: ReadonlySet<number>;
  readonly #unhealthy: ReadonlySet<number>;

  constructor({
    healthy,
    unhealthy,
  }: Pick<NonNullable<NonNullable<Checks>['active']>, 'healthy' | 'unhealthy'> | NonNullable<NonNullable<Checks>['passive']>) {
    this.limits = {
      success: healthy?.successes ?? 0,
      http: unhealthy?.http_failures ?? 0,
      tcp: unhealthy?.tcp_failures ?? 0,
      timeout: unhealthy?.timeouts ?? 0,
    };
    this.#healthy = new Set(healthy?.http_statuses);
    this.#unhealthy = new Set(unhealthy?.http_statuses);
  }

  /** Null: a status that says nothing of health. 0 is an answer without a status. */
  counterOf(status: number): Counter | null {
    if (this.#healthy.has(status)) return 'success';
    return this.#unhealthy.has(status) || status === 0 ? 'http' : null;
  }
}
