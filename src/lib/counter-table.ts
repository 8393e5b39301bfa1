/** Of a table of counters, in bytes: room for about 180,000 counters that have not ended, from where on some buckets are full. */
export const TABLE_SIZE = 2048 * 4096;

/** A counter, as a table knows it. */
export interface CounterId {
  /** 128 bits of a hash that nobody can foresee, 123 of which are looked at: no two keys have the same. */
  readonly hash: Int32Array;
  /** In seconds since 1970: part of the identity. */
  readonly endsAt: number;
}

/** The bucket of a counter has no room until others in it have ended. */
export class CountersFull extends Error {
  constructor() {
    super('there is no room for another counter');
  }
}

/** So long after its end a counter may still be asked for by who was late. */
export const GRACE_SECONDS = 5;
/** No counter ends later: one that does was made while the clock was wrong, and its room is free. */
export const LONGEST_SECONDS = 400 * 24 * 3600;
/** What a counter holds is between 0 and this. */
export const MOST = 2 ** 48 - 1;

// Where things are, in words of 64 bits. A bucket is a page of 4096 bytes: the word of its insertion, unused ones, its slots.
const PAGE = 512;
const SLOTS = 127;
const SLOT = 4;
const BUCKETS = TABLE_SIZE / 8 / PAGE;
/** The place of what has ended. */
const NOWHERE = 0;
/** The parts of a slot's identity: its last word is what it holds. */
const [SECOND, THIRD, VALUE] = [1, 2, 3];

/**
 * A fixed-size hash table of counters in memory that processes may share. Nothing in it is ever locked, and every step is
 * one atomic operation: a process that is killed or stopped between two of them leaves nothing half done that the next
 * would not see through.
 *
 * Words, from the high bits to the low ones:
 *   slot      endsAt 32, generation 16, hash 16 | generation 16, hash 48 | generation 16, hash 48 | generation 16, value 48
 *   insertion generation 16, slot 16, number 32
 *
 * A slot belongs to the counter whose hash and end it has, when its first three words are of one generation. Its value
 * counts when it is of that generation too, and is 0 otherwise: so a slot passes from one counter to the next in one
 * step, and who still adds to the counter before does no harm.
 *
 * A counter is put into a slot in three steps: announce the insertion in the bucket's word, write the second and third
 * word, write the first. The next insertion begins with the end of that before: where the slot has not got the announced
 * generation yet, it gets it without a counter, and who announced it begins again. So two insertions never overlap, and
 * no counter gets two slots.
 */
export class CounterTable {
  readonly #words: BigInt64Array;
  readonly #halves: Int32Array;
  readonly #now: () => number;
  // What `#find` and `#insert` are looking for, and have found.
  #bucket = 0;
  #endsAt = 0;
  #hash: Int32Array = new Int32Array(4);
  #slot = NOWHERE;
  #generation = 0;

  /** Of memory that `TABLE_SIZE` says, zero at first. `now` is in seconds since 1970. */
  constructor(memory: Uint8Array, now: () => number) {
    this.#words = new BigInt64Array(memory.buffer, memory.byteOffset, TABLE_SIZE / 8);
    this.#halves = new Int32Array(memory.buffer, memory.byteOffset, TABLE_SIZE / 4);
    this.#now = now;
  }

  /** What it holds; 0 when there is none. */
  get(id: CounterId): number {
    this.#seek(id);
    return this.#find() ? this.#read(this.#slot, this.#generation) : 0;
  }

  /**
   * Adds and returns what it holds then, unless that would be more than `limit`: null, and nothing is added. One that has
   * ended holds nothing before and after. Throws CountersFull, and a RangeError for an end that is too far away.
   */
  add(id: CounterId, amount: number, limit: number): number | null {
    const now = this.#now();
    if (!(id.endsAt <= now + LONGEST_SECONDS)) throw new RangeError(`no counter can end at ${id.endsAt}`);
    if (isFree(id.endsAt, now)) {
      this.#slot = NOWHERE;
      return amount > limit ? null : between(amount);
    }
    for (;;) {
      this.#seek(id);
      if (!this.#find()) this.#insert();
      const sum = this.#change(this.#slot, this.#generation, amount, limit);
      if (sum !== undefined) return sum;
    }
  }

  /** Adds to one that was found before, `place` having been read after `add`. Comes to nothing when that has ended and is gone. */
  addAt(place: number, amount: number): void {
    if (place !== NOWHERE) this.#change(Math.floor(place / 0x10000), place % 0x10000, amount, Number.POSITIVE_INFINITY);
  }

  /** Of the counter that was found last. */
  get place(): number {
    return this.#slot === NOWHERE ? NOWHERE : this.#slot * 0x10000 + this.#generation;
  }

  #seek({ hash, endsAt }: CounterId): void {
    this.#hash = hash;
    this.#endsAt = endsAt | 0;
    this.#bucket = PAGE * ((at(hash, 0) >>> 16) % BUCKETS);
  }

  /** Whether the counter has a slot: `#slot` of the generation `#generation`. */
  #find(): boolean {
    const halves = this.#halves;
    const tag = at(this.#hash, 0) & 0xffff;
    for (let slot = this.#bucket + SLOT; slot < this.#bucket + SLOT + SLOTS * SLOT; slot += SLOT) {
      const low = Atomics.load(halves, 2 * slot);
      // Slots are taken in their order: this one never was, so none after it.
      if (low === 0) return false;
      if ((low & 0xffff) !== tag || Atomics.load(halves, 2 * slot + 1) !== this.#endsAt) continue;
      const generation = low >>> 16;
      if (!this.#isOwn(slot, generation)) continue;
      this.#slot = slot;
      this.#generation = generation;
      return true;
    }
    return false;
  }

  #isOwn(slot: number, generation: number): boolean {
    const halves = this.#halves;
    return (
      Atomics.load(halves, 2 * (slot + SECOND)) === at(this.#hash, 1) &&
      Atomics.load(halves, 2 * (slot + THIRD)) === at(this.#hash, 2) &&
      Atomics.load(halves, 2 * (slot + SECOND) + 1) === ((generation << 16) | (at(this.#hash, 3) >>> 16)) &&
      Atomics.load(halves, 2 * (slot + THIRD) + 1) === ((generation << 16) | (at(this.#hash, 3) & 0xffff))
    );
  }

  #insert(): void {
    const words = this.#words;
    for (;;) {
      const before = Atomics.load(words, this.#bucket);
      this.#end(before);
      if (this.#find()) return;
      const now = this.#now();
      const slot = this.#free(now);
      const first = Atomics.load(words, slot);
      if (!isFree(Number(BigInt.asUintN(32, first >> 32n)), now)) continue;
      const generation = after(Number((first >> 16n) & 0xffffn));
      const insertion = word((generation << 16) | ((slot - this.#bucket) / SLOT), (Number(BigInt.asUintN(32, before)) + 1) | 0);
      if (Atomics.compareExchange(words, this.#bucket, before, insertion) !== before) continue;
      const [tag, second, third, rest] = [at(this.#hash, 0) & 0xffff, at(this.#hash, 1), at(this.#hash, 2), at(this.#hash, 3)];
      if (!this.#write(slot + SECOND, word((generation << 16) | (rest >>> 16), second), insertion)) continue;
      if (!this.#write(slot + THIRD, word((generation << 16) | (rest & 0xffff), third), insertion)) continue;
      if (Atomics.compareExchange(words, slot, first, word(this.#endsAt, (generation << 16) | tag)) !== first) continue;
      this.#slot = slot;
      this.#generation = generation;
      return;
    }
  }

  /** Sees to it that an insertion is over: who announced it may be dead. */
  #end(insertion: bigint): void {
    const position = Number((insertion >> 32n) & 0xffffn);
    const generation = (insertion >> 48n) & 0xffffn;
    // There was none yet, or the memory is damaged.
    if (position < 1 || position > SLOTS || generation === 0n) return;
    const slot = this.#bucket + SLOT * position;
    const first = Atomics.load(this.#words, slot);
    // After this look, what a later insertion does to the slot is not what was read.
    if (Atomics.load(this.#words, this.#bucket) !== insertion) return;
    if (((first >> 16n) & 0xffffn) !== generation) Atomics.compareExchange(this.#words, slot, first, generation << 16n);
  }

  /** Whether it could be done while the insertion was still the latest. */
  #write(index: number, value: bigint, insertion: bigint): boolean {
    for (;;) {
      const before = Atomics.load(this.#words, index);
      // After this look, what a later insertion writes here is not what was read.
      if (Atomics.load(this.#words, this.#bucket) !== insertion) return false;
      if (Atomics.compareExchange(this.#words, index, before, value) === before) return true;
    }
  }

  /** The first slot whose counter has ended. */
  #free(now: number): number {
    for (let slot = this.#bucket + SLOT; slot < this.#bucket + SLOT + SLOTS * SLOT; slot += SLOT) {
      if (isFree(Atomics.load(this.#halves, 2 * slot + 1) >>> 0, now)) return slot;
    }
    throw new CountersFull();
  }

  #read(slot: number, generation: number): number {
    const value = Atomics.load(this.#words, slot + VALUE);
    return generationOf(value) === generation ? sumOf(value) : 0;
  }

  /** Undefined when the slot is another counter's by now. */
  #change(slot: number, generation: number, amount: number, limit: number): number | null | undefined {
    for (;;) {
      const before = Atomics.load(this.#words, slot + VALUE);
      const isOwn = generationOf(before) === generation;
      // Looked at after the value: as long as the slot is the counter's, a value of another generation is an older one's.
      if (!isOwn && Atomics.load(this.#halves, 2 * slot) >>> 16 !== generation) return undefined;
      const held = isOwn ? sumOf(before) : 0;
      const sum = between(held + amount);
      if (sum > limit) return null;
      const next = isOwn ? before + BigInt(sum - held) : word(generation << 16, 0) + BigInt(sum);
      if (Atomics.compareExchange(this.#words, slot + VALUE, before, next) === before) return sum;
    }
  }
}

const between = (value: number): number => Math.min(Math.max(value, 0), MOST);
const isFree = (endsAt: number, now: number): boolean => endsAt < now - GRACE_SECONDS || endsAt > now + LONGEST_SECONDS;
const at = (hash: Int32Array, index: number): number => hash[index] as number;
const word = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);
const generationOf = (value: bigint): number => Number((value >> 48n) & 0xffffn);
const sumOf = (value: bigint): number => Number(value & 0xffff_ffff_ffffn);
/** 0 is for slots that never were anybody's. */
const after = (generation: number): number => (generation % 0xffff) + 1;
