import type { Algorithm } from './algorithm.ts';
import type { Peer } from './peer.ts';

const FEWEST_POINTS = 1000;
/** Of a peer where all have the same weight. */
const POINTS_OF_PEER = 160;
/** Where Kong would give up for want of slots, all get fewer. */
const MOST_TAKEN = 0.95;

/**
 * Ketama as Kong has it, point for point (kong/runloop/balancer/consistent_hashing.lua of Kong 3.9): equals go to the same
 * peer, in every process and every gateway, and few of them move when peers come and go.
 */
export class ConsistentHashing implements Algorithm {
  readonly #points: number;
  /** Taken points in ascending order, and who has them. */
  #taken: number[] = [];
  #owners: Peer[] = [];

  constructor(slots: number) {
    this.#points = Math.max(slots, FEWEST_POINTS);
  }

  arrange(peers: readonly Peer[], targets: number): void {
    const total = peers.reduce((sum, { weight }) => sum + weight, 0);
    const wanted = Math.min(targets * POINTS_OF_PEER, this.#points * MOST_TAKEN);
    const owners = new Map<number, Peer>();
    for (const peer of peers) {
      let entries = Math.max(1, Math.floor((peer.weight / total) * wanted));
      for (let index = 1; index <= entries && index <= this.#points && owners.size < this.#points; index++) {
        const point = this.#pointOf(`${peer.ip}::${peer.port} ${index}`);
        // A point that is taken moves the rest along.
        if (owners.has(point)) entries++;
        else owners.set(point, peer);
      }
    }
    this.#taken = [...owners.keys()].sort((a, b) => a - b);
    this.#owners = this.#taken.map(point => owners.get(point) as Peer);
  }

  pick(tried: readonly Peer[], hash: string): Peer | null {
    const { length } = this.#owners;
    const start = this.#lastUpTo(this.#pointOf(hash));
    for (let step = 0; step < length; step++) {
      const peer = this.#owners[(start - step + length) % length];
      if (peer?.health.isGood && !tried.includes(peer)) return peer;
    }
    return null;
  }

  #pointOf(text: string): number {
    return Bun.hash.xxHash32(text) % this.#points;
  }

  /** The place of the last taken point that is not beyond this one; before the first comes the last. */
  #lastUpTo(point: number): number {
    let low = 0;
    let high = this.#taken.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#taken[middle] as number) <= point) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? this.#taken.length - 1 : low - 1;
  }
}
