import { expect, test } from 'bun:test';
import { PrefixTree } from '../../src/gateway/prefix-tree.ts';

const found = (tree: PrefixTree<string>, text: string) => {
  const lists: string[] = [];
  tree.visit(text, { visit: values => void lists.push(...values) });
  return lists;
};

test('the values of every prefix of a text are found, shortest prefix first', () => {
  const tree = new PrefixTree<string>((a, b) => a.localeCompare(b));
  for (const prefix of ['/', '', '/api', '/api/v1', '/apple', '/b']) tree.add(prefix, prefix);
  expect(found(tree, '/api/v1/x')).toEqual(['', '/', '/api', '/api/v1']);
  expect(found(tree, '/app')).toEqual(['', '/']);
  expect(found(tree, 'x')).toEqual(['']);
});

test('values of one prefix are in order', () => {
  const tree = new PrefixTree<string>((a, b) => a.localeCompare(b));
  for (const value of ['c', 'a', 'd', 'b']) tree.add('/x', value);
  expect(found(tree, '/x')).toEqual(['a', 'b', 'c', 'd']);
});

test('after any adding and removing it finds what a plain list would', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const text = () => Array.from({ length: random(6) }, () => 'ab/'[random(3)]).join('');
  const tree = new PrefixTree<string>((a, b) => a.localeCompare(b));
  const list = new Set<string>();
  for (let step = 0; step < 20_000; step++) {
    const value = text();
    if (list.has(value)) tree.remove(value, value);
    else tree.add(value, value);
    if (!list.delete(value)) list.add(value);
    const probe = text();
    const expected = [...list].filter(prefix => probe.startsWith(prefix)).sort((a, b) => a.length - b.length);
    if (found(tree, probe).join() !== expected.join())
      throw new Error(`step ${step}: ${probe} finds ${found(tree, probe)}, not ${expected}`);
  }
  for (const value of list) tree.remove(value, value);
  expect(tree.isEmpty).toBe(true);
});
