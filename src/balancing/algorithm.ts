import type { Peer } from './peer.ts';

/** Which peer a request goes to. */
export interface Algorithm {
  /**
   * There are other peers than before, or they have other weights. They come in an order that
   * is the same in every process. `targets` is how many targets there are, those without weight included.
   */
  arrange(peers: readonly Peer[], targets: number): void;
  /**
   * One in good health that has not been tried for this request; null: there is none. `hash` decides for algorithms that
   * send equals to the same peer.
   */
  pick(tried: readonly Peer[], hash: string): Peer | null;
  /** A request that this peer was picked for is over, after so many milliseconds. */
  ended?(peer: Peer, milliseconds: number): void;
}
