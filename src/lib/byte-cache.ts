interface Held<V> {
  readonly value: V;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Values by their keys, as many bytes of them as are allowed: what nobody asked for longest makes room. */
export class ByteCache<V> {
  readonly #most: number;
  readonly #held = new Map<string, Held<V>>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): V | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    this.#held.delete(key);
    if (held.expiresAt <= Date.now()) {
      this.#bytes -= held.bytes;
      return undefined;
    }
    this.#held.set(key, held);
    return held.value;
  }

  /** A value that is larger than all there may be is not kept. */
  set(key: string, value: V, bytes: number, expiresAt: number): void {
    this.delete(key);
    if (bytes > this.#most) return;
    this.#held.set(key, { value, bytes, expiresAt });
    this.#bytes += bytes;
    for (const [oldest] of this.#held) {
      if (this.#bytes <= this.#most) break;
      this.delete(oldest);
    }
  }

  /** Whether it was there. */
  delete(key: string): boolean {
    const held = this.#held.get(key);
    if (held === undefined) return false;
    this.#bytes -= held.bytes;
    return this.#held.delete(key) && held.expiresAt > Date.now();
  }

  deleteThose(fits: (key: string) => boolean): void {
    for (const key of [...this.#held.keys()]) if (fits(key)) this.delete(key);
  }
}
