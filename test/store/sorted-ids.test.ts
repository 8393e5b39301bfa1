import { expect, test } from 'bun:test';
import { SortedIds } from '../../src/store/sorted-ids.ts';

test('thousands of ids stay in order through additions and deletions', () => {
  const ids = new SortedIds();
  const expected = new Set<string>();
  let state = 1;
  for (let step = 0; step < 20_000; step++) {
    state = (state * 48_271) % 2_147_483_647;
    const id = String(state % 5000).padStart(4, '0');
    if (state % 3 === 0) {
      ids.delete(id);
      expected.delete(id);
    } else {
      ids.add(id);
      expected.add(id);
    }
  }
  const sorted = [...expected].sort();
  expect([...ids.after('')]).toEqual(sorted);
  expect([...ids.after('2500')]).toEqual(sorted.filter(id => id > '2500'));
  expect([...ids.after('9999')]).toEqual([]);
  for (const id of sorted) ids.delete(id);
  expect(ids.isEmpty).toBe(true);
});
