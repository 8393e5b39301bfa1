import { afterEach, describe, expect, test } from 'bun:test';
import { type CounterId, CountersFull, CounterTable, LONGEST_SECONDS, MOST, TABLE_SIZE } from '../../src/lib/counter-table.ts';

const { load, compareExchange } = Atomics;
const restore = () => void Object.assign(Atomics, { load, compareExchange });
afterEach(restore);

const NO_LIMIT = Number.POSITIVE_INFINITY;
const START = 1_800_000_000;

const memory = new Uint8Array(TABLE_SIZE);
const BUCKET_SIZE = 4096;

/** Processes that have one memory, of which the tests use the first bucket, and one time. */
function openTable() {
  const time = { now: START };
  memory.fill(0, 0, BUCKET_SIZE);
  const open = () => new CounterTable(memory, () => time.now);
  return { open, time };
}

/** A counter in the first bucket, whatever the number. */
const counter = (number: number, endsAt = START + 60): CounterId => ({ hash: Int32Array.of(number & 0xffff, number, ~number, 7), endsAt });

/** Lets `call` happen before the atomic operation of that number, counted from 0, and the others go on as they are. */
function beforeOperation(number: number, call: () => void): void {
  let count = 0;
  const counted = () => {
    if (count++ === number) call();
  };
  Object.assign(Atomics, {
    load: (...parts: Parameters<typeof load>) => {
      counted();
      return load(...parts);
    },
    compareExchange: (...parts: Parameters<typeof compareExchange>) => {
      counted();
      return compareExchange(...parts);
    },
  });
}

/** How many atomic operations there are in it. */
function operationsOf(work: () => void): number {
  let count = 0;
  const counting =
    (real: (...parts: never[]) => unknown) =>
    (...parts: never[]) => {
      count++;
      return real(...parts);
    };
  Object.assign(Atomics, { load: counting(load as never), compareExchange: counting(compareExchange as never) });
  work();
  restore();
  return count;
}

class Killed extends Error {}

describe('a counter', () => {
  test('is 0 before it is added to, and is another one with another end or another bit of its hash', () => {
    const table = openTable().open();
    expect(table.get(counter(1))).toBe(0);
    expect(table.add(counter(1), 3, NO_LIMIT)).toBe(3);
    expect(table.add(counter(1), 4, NO_LIMIT)).toBe(7);
    expect(table.get(counter(1))).toBe(7);
    expect(table.get(counter(1, START + 61))).toBe(0);
    const { hash, endsAt } = counter(1);
    for (let part = 0; part < 4; part++) {
      // The five highest bits of the first part are not looked at.
      for (let bit = 0; bit < 32; bit++) {
        const other = hash.with(part, (hash[part] as number) ^ (1 << bit));
        if (part > 0 || bit < 27) expect(table.get({ hash: other, endsAt })).toBe(0);
      }
    }
  });

  test('stays between 0 and the most', () => {
    const table = openTable().open();
    expect(table.add(counter(1), -5, NO_LIMIT)).toBe(0);
    expect(table.add(counter(1), MOST, NO_LIMIT)).toBe(MOST);
    expect(table.add(counter(1), 1, NO_LIMIT)).toBe(MOST);
    expect(table.add(counter(1), -1, NO_LIMIT)).toBe(MOST - 1);
  });

  test('takes no more than its limit', () => {
    const table = openTable().open();
    expect(table.add(counter(1), 3, 4)).toBe(3);
    expect(table.add(counter(1), 2, 4)).toBeNull();
    expect(table.add(counter(1), 1, 4)).toBe(4);
    expect(table.add(counter(1), 1, 4)).toBeNull();
    expect(table.get(counter(1))).toBe(4);
  });

  test('is there for some seconds after its end, then holds nothing, and its slot is taken by others', () => {
    const { open, time } = openTable();
    const table = open();
    table.add(counter(1), 9, NO_LIMIT);
    const { place } = table;
    time.now = START + 64;
    expect(table.add(counter(1), 1, NO_LIMIT)).toBe(10);
    time.now = START + 66;
    expect(table.add(counter(1), 5, NO_LIMIT)).toBe(5);
    expect(table.add(counter(1), 5, 4)).toBeNull();
    expect(table.add(counter(2, START + 120), 1, NO_LIMIT)).toBe(1);
    table.addAt(place, 100);
    expect(table.get(counter(2, START + 120))).toBe(1);
    expect(table.get(counter(1))).toBe(0);
  });

  test('may be asked for again after the clock was put back', () => {
    const { open, time } = openTable();
    const table = open();
    table.add(counter(1, START + 1), 9, NO_LIMIT);
    time.now = START - 3600;
    expect(table.add(counter(1, START + 1), 1, NO_LIMIT)).toBe(10);
  });

  test('that ends too late is refused, and one from the time when the clock was wrong gives up its slot', () => {
    const { open, time } = openTable();
    const table = open();
    expect(() => table.add(counter(1, START + LONGEST_SECONDS + 1), 1, NO_LIMIT)).toThrow(RangeError);
    expect(() => table.add(counter(1, Number.NaN), 1, NO_LIMIT)).toThrow(RangeError);
    time.now = START + 50 * LONGEST_SECONDS;
    for (let number = 1; number <= 127; number++) table.add(counter(number, time.now + 60), 1, NO_LIMIT);
    time.now = START;
    expect(table.add(counter(500), 1, NO_LIMIT)).toBe(1);
  });
});

test('a full bucket refuses new counters, and goes on with those it has', () => {
  const { open, time } = openTable();
  const table = open();
  for (let number = 1; number <= 127; number++) expect(table.add(counter(number), number, NO_LIMIT)).toBe(number);
  expect(() => table.add(counter(128), 1, NO_LIMIT)).toThrow(CountersFull);
  for (let number = 1; number <= 127; number++) expect(table.get(counter(number))).toBe(number);
  expect(table.get(counter(128))).toBe(0);
  time.now = START + 66;
  for (let number = 1; number <= 127; number++) expect(table.add(counter(number, START + 120), 1, NO_LIMIT)).toBe(1);
});

test('a slot may change hands more often than there are generations', () => {
  const { open, time } = openTable();
  const table = open();
  for (let turn = 1; turn <= 70_000; turn++) {
    time.now += 10;
    if (table.add(counter(1, time.now + 1), 1, NO_LIMIT) !== 1) throw new Error(`in turn ${turn} it does not begin at 0`);
  }
});

test('damaged memory makes no call fail or go on for ever', () => {
  const { open } = openTable();
  crypto.getRandomValues(memory.subarray(0, BUCKET_SIZE));
  const table = open();
  for (let number = 1; number <= 200; number++) {
    try {
      expect(table.add(counter(number), 1, NO_LIMIT)).toBe(1);
    } catch (error) {
      expect(error).toBeInstanceOf(CountersFull);
    }
  }
});

/** What the bucket is like before, and what one process does to it while another is at the same. */
const SITUATIONS = [
  { name: 'both add to a counter that there is', ending: 0, others: 3, ended: 0, present: true },
  { name: 'both make the same counter in an empty bucket', ending: 0, others: 0, ended: 0, present: false },
  { name: 'both make the same counter behind others', ending: 0, others: 2, ended: 0, present: false },
  { name: 'both make the same counter in the slot of one that has ended', ending: 0, others: 2, ended: 1, present: false },
  { name: 'both make the same counter while a slot before the free one becomes free', ending: 1, others: 2, ended: 1, present: false },
] as const;

describe.each(SITUATIONS)('where $name', ({ ending, others, ended, present }) => {
  const prepare = () => {
    const { open, time } = openTable();
    const table = open();
    for (let number = 50; number < 50 + ending; number++) table.add(counter(number, START + 8), 50, NO_LIMIT);
    for (let number = 100; number < 100 + ended; number++) table.add(counter(number, START + 1), 50, NO_LIMIT);
    for (let number = 200; number < 200 + others; number++) table.add(counter(number, START + 90), number, NO_LIMIT);
    time.now = START + 10;
    if (present) table.add(counter(1), 10, NO_LIMIT);
    return { open, time };
  };
  const before = present ? 10 : 0;
  const add = (table: CounterTable, number = 1) => table.add(counter(number), 1, NO_LIMIT);
  const expectOthers = (table: CounterTable) => {
    for (let number = 200; number < 200 + others; number++) expect(table.get(counter(number, START + 90))).toBe(number);
  };
  const table = prepare().open();
  const steps = operationsOf(() => void add(table));

  test.each([
    { when: 'the other comes between, and a third between the steps of that', isNested: true },
    { when: 'the other comes between, and a third later', isNested: false },
  ])('nothing is lost where $when', ({ isNested }) => {
    for (let step = 0; step < steps; step++) {
      for (let later = 0; later < 3 * steps; later++) {
        const { open, time } = prepare();
        const [first, second, third, reader] = [open(), open(), open(), open()];
        const sums: unknown[] = [];
        beforeOperation(step, () => {
          restore();
          time.now = START + 20;
          if (!isNested) sums.push(add(second));
          beforeOperation(later, () => {
            restore();
            sums.push(add(third));
          });
          if (!isNested) return;
          sums.push(add(second));
          restore();
        });
        sums.push(add(first));
        restore();
        // The third only came when there were so many steps.
        expect(sums.toSorted()).toEqual([1, 2, 3].slice(0, sums.length).map(count => before + count));
        expect(reader.get(counter(1))).toBe(before + sums.length);
        expectOthers(reader);
      }
    }
  });

  test('other counters that are made between its steps have slots of their own', () => {
    for (let step = 0; step < steps; step++) {
      const { open } = prepare();
      const [first, second] = [open(), open()];
      beforeOperation(step, () => {
        restore();
        for (let number = 2; number < 5; number++) add(second, number);
      });
      add(first);
      expect(first.get(counter(1))).toBe(before + 1);
      for (let number = 2; number < 5; number++) expect(first.get(counter(number))).toBe(1);
      expectOthers(first);
    }
  });

  test('one that is killed at any step leaves no slot behind that is lost, and at most its own addition undone', () => {
    for (let step = 0; step < steps; step++) {
      const { open, time } = prepare();
      beforeOperation(step, () => {
        throw new Killed();
      });
      expect(() => add(open())).toThrow(Killed);
      restore();
      const table = open();
      expect(add(table)).toBe(before + 1);
      expectOthers(table);
      time.now = START + 200;
      for (let number = 1; number <= 127; number++) expect(table.add(counter(number, START + 260), 1, NO_LIMIT)).toBe(1);
    }
  });

  test('one that stands still for longer than the counter lives does not touch who has its slot then', () => {
    for (let step = 0; step < steps; step++) {
      const { open, time } = prepare();
      const [first, second] = [open(), open()];
      const late = START + 200;
      beforeOperation(step, () => {
        restore();
        time.now = late;
        for (let number = 300; number < 310; number++) second.add(counter(number, late + 60), number, NO_LIMIT);
      });
      try {
        add(first);
      } finally {
        restore();
      }
      for (let number = 300; number < 310; number++) expect(second.get(counter(number, late + 60))).toBe(number);
      for (let number = 400; number < 500; number++) expect(second.add(counter(number, late + 60), 1, NO_LIMIT)).toBe(1);
    }
  });
});
