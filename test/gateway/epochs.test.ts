import { expect, test } from 'bun:test';
import { Epochs } from '../../src/gateway/epochs.ts';

function scene() {
  const closed: string[] = [];
  const epochs = new Epochs();
  const retire = (name: string) => epochs.retire([async () => void closed.push(name)]);
  return { closed, epochs, retire };
}

test('what nobody uses closes at once', () => {
  const { closed, retire } = scene();
  retire('a');
  expect(closed).toEqual(['a']);
});

test('what a request may use closes when that request has left', () => {
  const { closed, epochs, retire } = scene();
  const [one, two] = [epochs.enter(), epochs.enter()];
  retire('a');
  one.leave();
  expect(closed).toEqual([]);
  two.leave();
  expect(closed).toEqual(['a']);
});

test('a request that began earlier keeps what was retired later', () => {
  const { closed, epochs, retire } = scene();
  const early = epochs.enter();
  retire('a');
  const late = epochs.enter();
  retire('b');
  late.leave();
  expect(closed).toEqual([]);
  early.leave();
  expect(closed).toEqual(['a', 'b']);
});

test('a request that began later keeps nothing open', () => {
  const { closed, epochs, retire } = scene();
  const early = epochs.enter();
  retire('a');
  const late = epochs.enter();
  early.leave();
  expect(closed).toEqual(['a']);
  late.leave();
  expect(closed).toEqual(['a']);
});

test('at the end everything retired closes, and is waited for', async () => {
  const { closed, epochs } = scene();
  epochs.enter();
  epochs.retire([() => new Promise(setImmediate).then(() => void closed.push('a'))]);
  await epochs.end();
  expect(closed).toEqual(['a']);
});
