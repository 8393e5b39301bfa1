import { expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import { pluginEntity } from '../../src/entities/plugin-entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { target } from '../../src/entities/target.ts';
import { upstream } from '../../src/entities/upstream.ts';
import { integer, map, record, set, string } from '../../src/schema/field.ts';
import { validate } from '../../src/schema/validate.ts';

const id = 'aaaaaaaa-0000-4000-8000-000000000000';
const shared = {
  id: [id, undefined],
  created_at: [1700000000, undefined],
  tags: [['a', 'b', 'a'], [], {}, null, undefined],
};
const config = record({ limits: map(string(), integer({ default: 1 })), names: set(string(), { default: ['x'] }) });

/** Values that each field may have; any choice of them is a row. */
const rows = [
  {
    entity: service,
    values: {
      ...shared,
      name: ['a', 'é~', null, undefined],
      url: ['https://a:1/b', 'http://c', null, undefined],
      protocol: ['https', undefined],
      host: ['h', '10.0.0.1'],
      port: [0, 65535, undefined],
      path: ['/', '/a%20b', null, undefined],
      retries: [0, null, undefined],
      read_timeout: [1, null, undefined],
      client_certificate: [null, undefined],
      enabled: [true, false, undefined],
    },
  },
  {
    entity: route,
    values: {
      ...shared,
      protocols: [['http'], ['https'], ['http', 'https', 'http'], undefined],
      paths: [
        ['/', '~/a+'],
        ['/a', '/a'],
      ],
      hosts: [['*.a', 'b.*', 'c:80'], [], null, undefined],
      headers: [{ a: ['b', 'c'] }, {}, [], null, undefined],
      methods: [['GET', 'GET'], undefined],
      snis: [[], null, undefined],
      service: [{ id }, { id: id.toUpperCase(), name: 'x' }, null, undefined],
      regex_priority: [-1, null, undefined],
      path_handling: ['v1', null, undefined],
    },
  },
  {
    entity: upstream,
    values: {
      ...shared,
      name: ['a.test'],
      algorithm: ['round-robin', 'latency', 'least-connections', undefined],
      hash_on: ['none', 'ip', 'path', 'cookie', null, undefined],
      hash_on_cookie: ['c'],
      healthchecks: [
        {},
        { threshold: 5 },
        { active: { timeout: 0.5, headers: {} } },
        { passive: { healthy: { successes: 1 } } },
        undefined,
      ],
    },
  },
  { entity: target, values: { ...shared, upstream: [{ id }], target: ['a', '::1', '10.0.0.1:80'], weight: [0, null, undefined] } },
  { entity: consumer, values: { ...shared, username: ['a', 'b c'], custom_id: ['é', null, undefined] } },
  {
    entity: pluginEntity(() => ({ config })),
    values: {
      ...shared,
      name: ['any'],
      instance_name: ['i', null, undefined],
      config: [{}, [], undefined, { names: ['b', 'b'] }, { limits: { a: 2 }, names: null }],
      route: [{ id }, null, undefined],
      protocols: [['http'], ['tcp', 'tcp'], undefined],
      enabled: [false, undefined],
    },
  },
];

/** The same numbers in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return sides => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

test.each(rows.map(row => [row.entity.name, row] as const))('any valid row of %s is complete, valid again, and the same', (_name, row) => {
  const { schema } = row.entity;
  const roll = dice(7);
  for (let round = 0; round < 300; round++) {
    const choices = Object.entries(row.values).map(([name, values]) => [name, values[roll(values.length)]] as const);
    const input = Object.fromEntries(choices.filter(([, value]) => value !== undefined));
    const once = validate<unknown>(schema, input);
    expect([input, 'errors' in once ? once.errors : undefined]).toEqual([input, undefined]);
    if ('errors' in once) continue;
    expect(Object.keys(once.value as object)).toEqual(Object.keys(schema.fields));
    expect(Object.values(once.value as object)).not.toContain(undefined);
    expect(validate<unknown>(schema, JSON.parse(JSON.stringify(once.value)))).toEqual(once);
  }
});
