import type { Algorithm } from './algorithm.ts';
import type { Peer } from './peer.ts';

/** So far into its round it begins at most. */
const MOST_TURNS = 64;

/** Each in turn, by weight: of as many requests as the weights add up to, each peer gets as many as its weight, spread evenly. */
export class RoundRobin implements Algorithm {
  #peers: readonly Peer[] = [];

  arrange(peers: readonly Peer[]): void {
    const started = peers.some(({ current }) => current !== 0);
    this.#peers = peers;
    // Several processes, and several gateways, must not all begin with the same peer.
    if (!started) for (let turns = Math.floor(Math.random() * Math.min(peers.length, MOST_TURNS)); turns > 0; turns--) this.pick([]);
  }

  pick(tried: readonly Peer[]): Peer | null {
    let total = 0;
    let best: Peer | null = null;
    for (const peer of this.#peers) {
      if (!peer.health.isGood || tried.includes(peer)) continue;
      total += peer.weight;
      peer.current += peer.weight;
      if (best === null || peer.current > best.current) best = peer;
    }
    if (best !== null) best.current -= total;
    return best;
  }
}
