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

/** Label by label: so that nothing has to be put together to find a meter that is there. */
class Branch<M> {
  readonly branches = new Map<string, Branch<M>>();
  meter: M | undefined;

  at(label: string): Branch<M> {
    let branch = this.branches.get(label);
    if (branch === undefined) {
      branch = new Branch();
      this.branches.set(label, branch);
    }
    return branch;
  }
}

/** Meters by their labels. */
export class Family<M extends Meter> {
  readonly #facts: FamilyFacts;
  readonly #make: () => M;
  readonly #root = new Branch<M>();

  constructor(facts: FamilyFacts, make: () => M) {
    this.#facts = facts;
    this.#make = make;
  }

  /** The values of the labels, in their order. */
  of(...labels: readonly string[]): M {
    let branch = this.#root;
    for (const label of labels) branch = branch.at(label);
    branch.meter ??= this.#make();
    return branch.meter;
  }

  read(): Measured {
    return { facts: this.#facts, series: [...seriesBelow(this.#root, [])] };
  }
}

function* seriesBelow(branch: Branch<Meter>, labels: readonly string[]): Iterable<Series> {
  if (branch.meter !== undefined) yield { labels, numbers: branch.meter.numbers };
  for (const [label, below] of branch.branches) yield* seriesBelow(below, [...labels, label]);
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
