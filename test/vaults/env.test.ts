import { expect, test } from 'bun:test';
import { describe } from '../../src/schema/describe.ts';
import { env } from '../../src/vaults/env.ts';

const environment = { MY_KEY: 'one', MY_KEY_PREVIOUS: 'zero', APP_MY_KEY: 'two', EMPTY: '' };
const read = (name: string, version: number | null = null, prefix: string | null = null) =>
  env.open({ prefix }, { environment, path: path => path }).read(name, version, AbortSignal.any([]));

test('its schema is printed as Kong prints it', () => {
  expect(describe(env.config)).toMatchObject({ fields: [{ prefix: { type: 'string', match: '^[%a_-][%a%d_-]*$' } }] });
});

test.each<[string, number | null, string | null, string]>([
  ['my-key', null, null, 'one'],
  ['MY_KEY', null, null, 'one'],
  ['my-key', 1, null, 'one'],
  ['my-key', 2, null, 'zero'],
  ['my-key', null, 'APP_', 'two'],
  ['my-key', null, 'app-', 'two'],
])('%s in version %p with the prefix %p is %s', async (name, version, prefix, value) =>
  expect(await read(name, version, prefix)).toBe(value),
);

test.each<[string, number | null, string]>([
  ['none', null, 'the environment variable NONE is not set'],
  ['empty', null, 'the environment variable EMPTY is not set'],
  ['app-my-key', 2, 'the environment variable APP_MY_KEY_PREVIOUS is not set'],
  ['my-key', 3, 'an environment variable has versions 1 and 2'],
])('%s in version %p cannot be read: %s', async (name, version, message) => expect(read(name, version)).rejects.toThrow(message));
