import { expect, test } from 'bun:test';
import { fileLog } from '../../src/plugins/file-log.ts';
import { httpLog } from '../../src/plugins/http-log.ts';
import { plugins } from '../../src/plugins/registry.ts';
import { describe } from '../../src/schema/describe.ts';
import type { Field } from '../../src/schema/field.ts';
import { protocols } from '../../src/schema/typedefs.ts';
import fileLogOfKong from '../fixtures/kong/plugins/file-log.json';
import httpLogOfKong from '../fixtures/kong/plugins/http-log.json';

const FUNCTION = '<fn>';

/** `config` of a golden as it can be printed: without functions, fields by name. */
function comparable(description: unknown): unknown {
  if (Array.isArray(description) && description.every(isNamedField)) return comparable(Object.assign({}, ...description));
  if (typeof description !== 'object' || description === null || Array.isArray(description)) return description;
  const entries = Object.entries(description).filter(([, fact]) => fact !== FUNCTION);
  return Object.fromEntries(entries.map(([name, fact]) => [name, comparable(fact)]));
}

/** `{ name: { type, … } }`, as the members of `fields` are. */
const isNamedField = (member: unknown) =>
  typeof member === 'object' && member !== null && Object.values(member).every(field => typeof field === 'object' && 'type' in field);

const configOf = (golden: { fields: object[] }) =>
  (golden.fields.find(field => 'config' in field) as { config: Record<string, unknown> } | undefined)?.config;

test('the configuration of file-log is printed as Kong prints it', () => {
  const { required, ...printed } = describe(fileLog.config);
  expect(required).toBe(true);
  expect(comparable(printed)).toEqual(comparable(configOf(fileLogOfKong)));
  expect(fileLog.priority).toBe(fileLogOfKong.priority);
});

test('the configuration of http-log is printed as Kong prints it, but for queue: its defaults are filled in', () => {
  const { required, ...printed } = comparable(describe(httpLog.config)) as { required: boolean; fields: { queue: { required?: boolean } } };
  expect(required).toBe(true);
  const { required: filled, ...queue } = printed.fields.queue;
  expect(filled).toBe(true);
  expect({ ...printed, fields: { ...printed.fields, queue } } as unknown).toEqual(comparable(configOf(httpLogOfKong)));
  expect(httpLog.priority).toBe(httpLogOfKong.priority);
});

test.each(plugins.map(plugin => [plugin.name, plugin] as const))('rows of %s take what Kong’s take', async (name, plugin) => {
  const golden = await Bun.file(`${import.meta.dir}/../fixtures/kong/plugins/${name}.json`).json();
  const { config: _, ...wanted } = Object.assign({}, ...(golden as { fields: object[] }).fields) as Record<string, unknown>;
  const { fields }: { fields?: Readonly<Record<string, Field>> } = plugin;
  const own = Object.entries({ protocols, ...fields }).map(([field, declared]) => [field, describe(declared)]);
  expect(Object.fromEntries(own)).toEqual(wanted);
});
