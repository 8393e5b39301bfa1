import type { Address } from './peer.ts';

/** What a name stands for at the moment, and for how long. */
export interface Resolved {
  readonly addresses: readonly Address[];
  /** The record that says so, in Kong's words: `A`, `AAAA`, `SRV`. */
  readonly record: string;
  /** Milliseconds. */
  readonly ttl: number;
}

/** Finds the addresses behind names. */
export interface Resolver {
  /** `port` is that of addresses for which no SRV record says another. Throws when there are no addresses. */
  resolve(name: string, port: number): Promise<Resolved>;
}
