import type { Algorithm } from './algorithm.ts';
import type { Peer } from './peer.ts';

/** The peer with the fewest requests in flight for its weight; of equals, the one that has waited longest. */
export class LeastConnections implements Algorithm {
  #peers: readonly Peer[] = [];
  #turn = 0;

  arrange(peers: readonly Peer[]): void {
    this.#peers = peers;
  }

  pick(tried: readonly Peer[]): Peer | null {
    let best: Peer | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers) {
      if (!peer.health.isGood || tried.includes(peer)) continue;
      const load = (peer.inFlight + 1) / peer.weight;
      if (load > least || (load === least && best !== null && peer.pickedAt > best.pickedAt)) continue;
      best = peer;
      least = load;
    }
    if (best !== null) best.pickedAt = ++this.#turn;
    return best;
  }
}
