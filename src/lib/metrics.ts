/** What is measured under one name. */
export interface FamilyFacts {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** The names of its labels. */
  readonly labels: readonly string[];
  /** Of a histogram: upper bounds, rising. */
  readonly buckets?: readonly number[];
}

/**
 * The numbers for one choice of labels: one of a counter or gauge; of a histogram how many fell into each bucket, how many
 * above all of them, and the sum of all.
 */
export interface Series {
  readonly labels: readonly string[];
  readonly numbers: readonly number[];
}

/** A family as it stands, in a form that another process can be sent. */
export interface Measured {
  readonly facts: FamilyFacts;
  readonly series: readonly Series[];
}

export class Counter {
  #count = 0;

  add(amount: number): void {
    this.#count += amount;
  }

  get numbers(): readonly number[] {
    return [this.#count];
  }
}

export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    this.#sum += value;
  }

  get numbers(): readonly number[] {
    return [...this.#counts, this.#sum];
  }
}

interface Meter {
  readonly numbers: readonly number[];
}

class Branch<Kept> {
  /** Null: it is an end, as most are. */
  branches: Map<string, Branch<Kept>> | null = null;
  kept: Kept | undefined;

  at(label: string): Branch<Kept> {
    this.branches ??= new Map();
    let branch = this.branches.get(label);
    if (branch === undefined) {
      branch = new Branch();
      this.branches.set(label, branch);
    }
    return branch;
  }
}

/** What there is for each choice of labels. It is found label by label: so that nothing has to be put together. */
export class ByLabels<Kept> {
  readonly #make: (labels: readonly string[]) => Kept;
  readonly #root = new Branch<Kept>();

  /** `make` is called when a choice is asked for first. */
  constructor(make: (labels: readonly string[]) => Kept) {
    this.#make = make;
  }

  /** The values of the labels, in their order. */
  of(...labels: readonly string[]): Kept {
    let branch = this.#root;
    for (const label of labels) branch = branch.at(label);
    branch.kept ??= this.#make(labels);
    return branch.kept;
  }

  entries(): Iterable<readonly [labels: readonly string[], kept: Kept]> {
    return entriesBelow(this.#root, []);
  }
}

function* entriesBelow<Kept>(branch: Branch<Kept>, labels: readonly string[]): Iterable<readonly [readonly string[], Kept]> {
  if (branch.kept !== undefined) yield [labels, branch.kept];
  for (const [label, below] of branch.branches ?? []) yield* entriesBelow(below, [...labels, label]);
}

/** Meters by their labels. */
export class Family<M extends Meter> {
  readonly #facts: FamilyFacts;
  readonly #meters: ByLabels<M>;

  constructor(facts: FamilyFacts, make: () => M) {
    this.#facts = facts;
    this.#meters = new ByLabels(make);
  }

  /** The values of the labels, in their order. */
  of(...labels: readonly string[]): M {
    return this.#meters.of(...labels);
  }

  read(): Measured {
    return { facts: this.#facts, series: [...this.#meters.entries()].map(([labels, { numbers }]) => ({ labels, numbers })) };
  }
}

type Named = Omit<FamilyFacts, 'type' | 'buckets'>;

/** All that this process measures. A name that is declared again is the same family. */
export class Metrics {
  readonly #families = new Map<string, Family<Meter>>();

  counter(facts: Named): Family<Counter> {
    return this.#family({ ...facts, type: 'counter' }, () => new Counter());
  }

  histogram(facts: Named & { readonly buckets: readonly number[] }): Family<Histogram> {
    return this.#family({ ...facts, type: 'histogram' }, () => new Histogram(facts.buckets));
  }

  read(): readonly Measured[] {
    return [...this.#families.values()].map(family => family.read());
  }

  #family<M extends Meter>(facts: FamilyFacts, make: () => M): Family<M> {
    const known = this.#families.get(facts.name) as Family<M> | undefined;
    const family = known ?? new Family(facts, make);
    this.#families.set(facts.name, family);
    return family;
  }
}

/** The sums of what several processes have measured. */
export function sumOf(all: readonly (readonly Measured[])[]): readonly Measured[] {
  const families = new Map<string, { readonly facts: FamilyFacts; readonly series: Map<string, Series> }>();
  for (const { facts, series } of all.flat()) {
    const family = families.get(facts.name) ?? { facts, series: new Map<string, Series>() };
    families.set(facts.name, family);
    for (const { labels, numbers } of series) {
      const key = JSON.stringify(labels);
      const before = family.series.get(key)?.numbers;
      family.series.set(key, { labels, numbers: before === undefined ? numbers : numbers.map((number, i) => number + (before[i] ?? 0)) });
    }
  }
  return [...families.values()].map(({ facts, series }) => ({ facts, series: [...series.values()] }));
}
