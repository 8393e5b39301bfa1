import { expect, test } from 'bun:test';
import { coreEntities } from '../../src/entities/registry.ts';
import { tagged } from '../../src/entities/tagged.ts';
import { describe } from '../../src/schema/describe.ts';

const byName = (fields: readonly Record<string, unknown>[]) => Object.assign({}, ...fields) as Record<string, unknown>;

/** Entities that Kong's open-source gateway does not have: what they hold is not compared. */
const OWN: readonly string[] = ['consumer_groups', 'consumer_group_consumers'];

/** Fields and facts that ours have beyond Kong's, and why. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  // Groups of consumers are Kong Enterprise's; no plugin is for a consumer and for a group at once.
  plugins: ['consumer_group', 'entity_checks'],
  // Kong brings a target into shape outside of its schema.
  targets: ['transformations'],
};

const compared = coreEntities(
  () => null,
  () => null,
).filter(({ name }) => !OWN.includes(name));
const schemas = [...compared.map(({ name, schema }) => [name, schema] as const), ['tags', tagged] as const];

test.each(schemas)('the schema of %s is printed as Kong prints it', async (name, schema) => {
  const { type, required, fields, ...rest } = describe(schema);
  const golden = await Bun.file(`${import.meta.dir}/../fixtures/kong/${name}.json`).json();
  const { fields: wanted, ...others } = golden as { fields: Record<string, unknown>[] };
  const ofKong = (facts: object) => Object.fromEntries(Object.entries(facts).filter(([fact]) => !ADDED[name]?.includes(fact)));
  expect(ofKong(byName(fields as Record<string, unknown>[]))).toEqual(byName(wanted));
  expect(ofKong(rest)).toEqual(others);
});
