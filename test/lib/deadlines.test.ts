import { expect, test } from 'bun:test';
import { Deadlines } from '../../src/lib/deadlines.ts';

/** Something that notes its end in a list. */
const noted = (name: string, ends: string[]) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const expire = () => {
    ends.push(name);
    resolve();
  };
  return { expire, promise };
};

test('deadlines end in their order, and those that were closed or rest do not', async () => {
  const deadlines = new Deadlines();
  const ends: string[] = [];
  const [late, soon, moved, resting, closed] = ['late', 'soon', 'moved', 'resting', 'closed'].map(name => noted(name, ends));
  if (!late || !soon || !moved || !resting || !closed) throw new Error('five were made');
  deadlines.open(late, 300);
  deadlines.open(soon, 0);
  deadlines.open(moved, 0).move(150);
  deadlines.open(resting, 0).rest();
  deadlines.open(closed, 0).close();
  await late.promise;
  expect(ends).toEqual(['soon', 'moved', 'late']);
});

test('a deadline that was moved on and on still ends once', async () => {
  const deadlines = new Deadlines();
  const ends: string[] = [];
  const one = noted('one', ends);
  const other = noted('other', ends);
  const deadline = deadlines.open(one, 0);
  for (let times = 0; times < 1000; times++) deadline.move(0);
  await one.promise;
  deadlines.open(other, 0);
  await other.promise;
  expect(ends).toEqual(['one', 'other']);
});
