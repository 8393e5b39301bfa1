import { expect, test } from 'bun:test';
import { createPauses } from '../../src/lib/pauses.ts';

test('others run while long work goes on', async () => {
  const pause = createPauses();
  let others = 0;
  const timer = setInterval(() => others++, 0);
  while (others < 3) await pause();
  clearInterval(timer);
  expect(others).toBe(3);
});

test('short work is not held up', () => {
  expect(createPauses()()).toBeUndefined();
});
