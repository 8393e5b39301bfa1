import { expect, test } from 'bun:test';
import { pauseAfter } from '../../src/workers/restart.ts';

test('a worker that has served for a second is replaced at once', () => {
  expect(pauseAfter(1000, 5, 2000)).toEqual({ milliseconds: 0, diedYoung: 0 });
});

test.each([
  ['soon after it began to serve', 1500],
  ['before it served', null],
])('workers that end %s are replaced at once, then after pauses that double up to five seconds', (_, servedSince) => {
  const pauses: number[] = [];
  for (let diedYoung = 0; diedYoung < 9; ) {
    const pause = pauseAfter(servedSince, diedYoung, 2000);
    pauses.push(pause.milliseconds);
    diedYoung = pause.diedYoung;
  }
  expect(pauses).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});
