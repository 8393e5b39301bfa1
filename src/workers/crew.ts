import type { HealthBook } from '../balancing/health.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Stoppable } from '../lib/drain.ts';
import type { Json } from '../lib/json.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { LogLevel } from '../lib/log.ts';
import type { Measured } from '../lib/metrics.ts';
import type { KeyPair } from '../lib/self-signed.ts';
import type { Question } from '../plugins/plugin.ts';
import { listen } from '../proxy/listener.ts';
import type { HttpProxy } from '../proxy/proxy.ts';
import type { Store } from '../store/store.ts';
import type { Report } from './messages.ts';
import { reportOf } from './report.ts';

/** What those who serve say together. */
export interface Summary {
  readonly reports: readonly Report[];
  /** What others before them have served, as far as they told. */
  readonly before: { readonly requests: number; readonly metrics: readonly Measured[] };
}

/** Those who answer at the proxy ports: this process alone, or workers that it keeps. */
export interface Crew {
  /** Throws when the port cannot be had. What it returns stops whoever serves there. */
  listen(address: ListenAddress, tls: KeyPair | undefined): Stoppable & { readonly port: number | undefined };
  /** Resolves once all serve what the store holds. What they see of targets is counted in `health`. */
  start(store: Store, health: HealthBook): Promise<void>;
  readonly pids: readonly number[];
  /** Why requests should not come yet, or not now; null: they may. */
  notReady(): string | null;
  summary(withMetrics: boolean): Promise<Summary>;
  /** What plugins answer, in all processes that serve. Throws when one of them does not. */
  ask(question: Question): Promise<readonly Json[]>;
  setLogLevel(level: LogLevel): void;
}

/** This process, which has the proxy and the configuration itself. */
export function alone(proxy: HttpProxy, gateway: Pick<Gateway, 'fault' | 'metrics' | 'ask'>): Crew {
  return {
    listen: (address, tls) => listen(address, tls, proxy),
    start: async () => {},
    pids: [process.pid],
    notReady: () => null,
    summary: async withMetrics => ({ reports: [reportOf(proxy, gateway, withMetrics)], before: { requests: 0, metrics: [] } }),
    ask: async question => gateway.ask(question),
    setLogLevel() {},
  };
}
