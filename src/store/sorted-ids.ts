const LONGEST_RUN = 512;

/** A set of ids in order, kept as runs so short that adding or deleting one moves little. */
export class SortedIds {
  readonly #runs: string[][] = [];

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  add(id: string): void {
    const index = Math.max(Math.min(this.#runOf(id), this.#runs.length - 1), 0);
    const run = this.#runs[index];
    if (!run) {
      this.#runs.push([id]);
      return;
    }
    const at = position(run, id);
    if (run[at] === id) return;
    run.splice(at, 0, id);
    if (run.length > LONGEST_RUN) this.#runs.splice(index + 1, 0, run.splice(LONGEST_RUN / 2));
  }

  delete(id: string): void {
    const index = this.#runOf(id);
    const run = this.#runs[index];
    if (!run) return;
    const at = position(run, id);
    if (run[at] !== id) return;
    run.splice(at, 1);
    if (run.length === 0) this.#runs.splice(index, 1);
  }

  /** The ids above `id`, in order; all of them when it is the empty string. */
  *after(id: string): Generator<string> {
    for (let index = this.#runOf(id); index < this.#runs.length; index++) {
      for (const member of this.#runs[index] ?? []) if (member > id) yield member;
    }
  }

  /** The first run whose last id is not below `id`: the one that holds it, if any does. */
  #runOf(id: string): number {
    return lowest(this.#runs.length, index => (this.#runs[index]?.at(-1) ?? '') >= id);
  }
}

const position = (run: readonly string[], id: string) => lowest(run.length, index => (run[index] ?? '') >= id);

/** The first index that holds, of a test that fails up to some index and holds from there on; `length` when none does. */
function lowest(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
