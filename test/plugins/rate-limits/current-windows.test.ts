import { expect, test } from 'bun:test';
import { CurrentWindows } from '../../../src/plugins/rate-limits/current-windows.ts';

const at = (time: string) => Date.parse(`2027-01-31T${time}Z`);
const RULES = [
  { period: 'second', limit: 2 },
  { period: 'hour', limit: 1.5 },
] as const;

test('there is a window for each rule, by the identifier and the span that it is in', () => {
  const windows = new CurrentWindows('p', RULES);
  expect(windows.at(at('23:59:58.250'), 'a')).toEqual([
    { key: `p:a:${at('23:59:58')}:second`, endsAt: at('23:59:59'), limit: 2, amount: 1 },
    { key: `p:a:${at('23:00:00')}:hour`, endsAt: at('23:59:59') + 1000, limit: 1.5, amount: 1 },
  ]);
});

test('they are the same for all requests of an identifier, until one of the spans is another', () => {
  const windows = new CurrentWindows('p', RULES);
  const first = windows.at(at('12:00:00'), 'a');
  expect(windows.at(at('12:00:00.999'), 'a')).toBe(first);
  expect(windows.at(at('12:00:00.999'), 'b')).not.toEqual(first);
  expect(windows.at(at('12:00:01'), 'a').map(({ key }) => key)).toEqual([`p:a:${at('12:00:01')}:second`, first[1]?.key as string]);
  expect(windows.at(at('11:59:59.999'), 'a').map(({ endsAt }) => endsAt)).toEqual([at('12:00:00'), at('12:00:00')]);
});

test('more identifiers than are kept have theirs made anew, and the same', () => {
  const windows = new CurrentWindows('p', RULES);
  const first = windows.at(at('12:00:00'), 'a');
  for (let number = 0; number < 1000; number++) windows.at(at('12:00:00'), `other ${number}`);
  const again = windows.at(at('12:00:00'), 'a');
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});
