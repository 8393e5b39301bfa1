import type { Balancer } from './balancer.ts';
import { type Hashable, type HashInput, hashInput } from './hash-input.ts';
import type { Peer } from './peer.ts';

const NO_INPUT: HashInput = { value: '', cookie: null };

/** The peers that one request goes to, one after the other until one answers; it holds the last until it is over. */
export class Lease {
  readonly #balancer: Balancer;
  readonly #input: HashInput;
  #tried: Peer[] = [];
  #peer: Peer | null = null;
  #since = 0;

  constructor(balancer: Balancer, request: Hashable) {
    this.#balancer = balancer;
    this.#input = balancer.upstream.algorithm === 'consistent-hashing' ? hashInput(balancer.upstream, request) : NO_INPUT;
  }

  /** A Set-Cookie header by which the client will be known again; null: it need not be. */
  get cookie(): string | null {
    return this.#input.cookie;
  }

  /** Null: nobody can serve it. Once all have been tried, they are tried again. */
  next(): Peer | null {
    if (this.#peer !== null) {
      this.#peer.inFlight--;
      this.#tried.push(this.#peer);
    }
    this.#peer = this.#balancer.pick(this.#tried, this.#input.value);
    if (this.#peer === null && this.#tried.length > 0) {
      this.#tried = [];
      this.#peer = this.#balancer.pick(this.#tried, this.#input.value);
    }
    if (this.#peer !== null) this.#peer.inFlight++;
    this.#since = performance.now();
    return this.#peer;
  }

  answered(status: number): void {
    if (this.#peer !== null) this.#balancer.answered(this.#peer, status);
  }

  failed(how: 'tcp' | 'timeout'): void {
    if (this.#peer !== null) this.#balancer.failed(this.#peer, how);
  }

  /** The request is over, to its last byte. */
  release(): void {
    if (this.#peer === null) return;
    this.#peer.inFlight--;
    this.#balancer.ended(this.#peer, performance.now() - this.#since);
    this.#peer = null;
  }
}
