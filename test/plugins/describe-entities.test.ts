import { expect, test } from 'bun:test';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { plugins } from '../../src/plugins/registry.ts';
import { describe } from '../../src/schema/describe.ts';

const owners: readonly Plugin[] = plugins.filter((plugin: Plugin) => plugin.entities !== undefined);

test.each(owners.map(plugin => [plugin.name, plugin] as const))(
  'the entities of %s are printed as Kong prints them',
  async (name, plugin) => {
    const goldens = (await Bun.file(`${import.meta.dir}/../fixtures/kong/plugin-entities/${name}.json`).json()) as Record<
      string,
      unknown
    >[];
    for (const [index, entity] of (plugin.entities ?? []).entries()) {
      const { type, required, fields, transformations, ...facts } = describe(entity.schema);
      const { adminApiName, adminApiNestedName } = entity;
      const own = { name: entity.name, fields, ...facts, admin_api_name: adminApiName, admin_api_nested_name: adminApiNestedName };
      // What Kong is told of the table, and how it finds rows; a field that only has to be unique needs no key of its own here.
      const { primary_key, workspaceable, dao, cache_key, endpoint_key, transformations: digest, ...golden } = goldens[index] ?? {};
      expect(printable(own)).toEqual(printable(golden));
      if (endpoint_key !== undefined) expect(entity.endpointKey).toBe(endpoint_key as string);
      if ((cache_key as string[]).length > 1) expect(entity.cacheKey).toEqual(cache_key as string[]);
      expect(printable(transformations ?? null)).toEqual(printable(digest ?? null));
    }
  },
);

/** Without functions, which a fixture shows as `<fn>`; fields by their names. */
function printable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, member) => {
    if (Array.isArray(member) && member.length > 0 && member.every(isNamedField)) return Object.assign({}, ...member);
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).filter(([, fact]) => fact !== '<fn>'));
  });
}

const isNamedField = (member: object) =>
  Object.values(member).every(field => typeof field === 'object' && field !== null && 'type' in field);
