import { expect, test } from 'bun:test';
import { type PathHandling, upstreamPath } from '../../src/gateway/upstream-path.ts';

/** Kong's own tables, then what follows from them: service path, route path, request path, upstream path. */
const V0_KEEPS: readonly (readonly [string, string, string, string])[] = [
  ['/s', '/fv0', '/fv0/req', '/s/fv0/req'],
  ['/s', '/fv0', '/fv0', '/s/fv0'],
  ['/s', '/fv0/', '/fv0/req', '/s/fv0/req'],
  ['/s', '/fv0/', '/fv0/', '/s/fv0/'],
  ['/', '/', '/', '/'],
  ['/s', '/', '/', '/s'],
  ['/s/', '/', '/', '/s/'],
  ['/s/', '/a', '/a/b', '/s/a/b'],
  ['/', '/a', '/a/b', '/a/b'],
];
const V0_STRIPS: typeof V0_KEEPS = [
  ['/s', '/tv0', '/tv0/req', '/s/req'],
  ['/s', '/tv0', '/tv0', '/s'],
  ['/s', '/tv0/', '/tv0/req', '/s/req'],
  ['/s', '/tv0/', '/tv0/', '/s/'],
  ['/', '/', '/', '/'],
  ['/', '/a', '/a', '/'],
  ['/', '/a', '/a/', '/'],
  ['/', '/a', '/ab', '/b'],
  ['/s/', '/a', '/a', '/s'],
  ['/s/', '/a/', '/a/', '/s/'],
  ['/s/', '/a', '/a/b', '/s/b'],
  ['/s', '/a', '/a/', '/s/'],
  ['/s', '/a', '/ab', '/s/b'],
  ['/s', '/', '/', '/s'],
  ['/s', '', '/', '/s'],
  ['/s', '', '/x/', '/s/x/'],
  ['/s', '/a', '/a../b', '/s/b'],
  ['/s', '/a', '/a..', '/s'],
  ['/s', '/a', '/a./b', '/s/b'],
];
const V1_KEEPS: typeof V0_KEEPS = [
  ['/s', '/fv1', '/fv1/req', '/sfv1/req'],
  ['/s', '/fv1', '/fv1', '/sfv1'],
  ['/s', '/fv1/', '/fv1/', '/sfv1/'],
  ['/s/', '/fv1/', '/fv1/req', '/s/fv1/req'],
];
const V1_STRIPS: typeof V0_KEEPS = [
  ['/s', '/tv1', '/tv1/req', '/s/req'],
  ['/s', '/tv1', '/tv1', '/s'],
  ['/s', '/tv1/', '/tv1/req', '/sreq'],
  ['/s', '/tv1/', '/tv1/', '/s'],
  ['/s/', '/tv1', '/tv1/req', '/s/req'],
];

const tables = Object.entries({ V0_KEEPS, V0_STRIPS, V1_KEEPS, V1_STRIPS }).flatMap(([name, rows]) => {
  const handling: PathHandling = { path_handling: name.startsWith('V0') ? 'v0' : 'v1', strip_path: name.endsWith('STRIPS') };
  return rows.map(row => [handling, ...row] as const);
});

test.each(tables)('%o: service %s, route %s, request %s → %s', (handling, servicePath, routePath, path, upstream) => {
  expect(upstreamPath(handling, servicePath, path, routePath.length)).toBe(upstream);
});
