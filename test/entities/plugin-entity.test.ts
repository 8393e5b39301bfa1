import { describe, expect, test } from 'bun:test';
import type { Rows } from '../../src/entities/entity.ts';
import { type PluginRow, type PluginSchema, pluginEntity } from '../../src/entities/plugin-entity.ts';
import { foreign, integer, record, string } from '../../src/schema/field.ts';
import { noConsumer, noConsumerGroup, protocolsHttp } from '../../src/schema/typedefs.ts';
import { validate } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';
import { pluginRow } from '../gateway/rows.ts';

const limit = record(
  { minute: integer({ gt: 0 }), hour: integer({ gt: 0 }), by: string({ default: 'ip' }) },
  { entity_checks: [{ at_least_one_of: ['minute', 'hour'] }] },
);
const nothing = record({}, { required: true });
const nowhere = { route: foreign('routes', { eq: null }), service: foreign('services', { eq: null }) };
const SCHEMAS: Readonly<Record<string, PluginSchema>> = {
  limit: { config: limit },
  everywhere: { config: nothing, fields: { ...nowhere, consumer: noConsumer, consumer_group: noConsumerGroup } },
  whole: { config: limit, entity_checks: [{ mutually_required: ['config.minute', 'config.hour'] }] },
  http: { config: nothing, fields: { protocols: protocolsHttp } },
};
const plugin = pluginEntity(name => SCHEMAS[name] ?? null);

const errorsOf = (input: object) => {
  const result = validate(plugin.schema, input);
  return 'errors' in result ? result.errors : undefined;
};

test('a plugin’s config is read by the schema that its name chooses', () => {
  expect(validate(plugin.schema, { name: 'limit', config: { minute: 5 } })).toEqual({
    value: {
      id: null as never,
      name: 'limit',
      instance_name: null,
      created_at: null as never,
      updated_at: null as never,
      route: null,
      service: null,
      consumer: null,
      consumer_group: null,
      config: { minute: 5, hour: null, by: 'ip' },
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      enabled: true,
      tags: null,
    },
  });
});

describe('a plugin is refused', () => {
  test.each([
    [{}, { name: 'required field missing' }],
    [{ name: 'other', config: {} }, { name: "plugin 'other' not enabled; add it to the 'plugins' configuration property" }],
    [{ name: 'limit', config: null }, { config: 'required field missing' }],
    [{ name: 'limit', config: 'x' }, { config: 'expected a record' }],
    [{ name: 'limit', config: { minute: 0 } }, { config: { minute: 'value must be greater than 0' } }],
    [{ name: 'limit', config: { minute: 1, second: 1 } }, { config: { second: 'unknown field' } }],
    [{ name: 'limit' }, { config: { '@entity': ["at least one of these fields must be non-empty: 'minute', 'hour'"] } }],
    [{ name: 'whole', config: { minute: 1 } }, { '@entity': ["all or none of these fields must be set: 'config.minute', 'config.hour'"] }],
    [
      { name: 'limit', config: { minute: 1 }, protocols: ['ftp'] },
      { protocols: ['expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp'] },
    ],
    [
      { name: 'limit', config: { minute: 1 }, instance_name: 'a b' },
      { instance_name: "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~" },
    ],
    [{ name: 'limit', config: { minute: 1 }, route: { id: 'x' } }, { route: { id: 'expected a valid UUID' } }],
  ])('%j', (input, errors) => {
    expect(errorsOf(input)).toEqual(errors as never);
  });

  test('with the path of what is wrong', () => {
    expect(violation(errorsOf({ name: 'limit', config: { minute: 0 } }) ?? {})).toBe(
      'schema violation (config.minute: value must be greater than 0)',
    );
  });
});

const id = 'aaaaaaaa-0000-4000-8000-000000000000';

describe('the scope of a plugin', () => {
  test.each(['route', 'service', 'consumer', 'consumer_group'])('may be a %s, unless the plugin makes no sense for one', scope => {
    expect(errorsOf({ name: 'http', [scope]: { id } })).toBeUndefined();
    expect(errorsOf({ name: 'everywhere', [scope]: null })).toBeUndefined();
    expect(errorsOf({ name: 'everywhere', [scope]: { id } })).toEqual({ [scope]: 'value must be null' });
  });

  test('is no consumer and a group at once: nothing says which plugin would come first', () => {
    expect(errorsOf({ name: 'http', consumer: { id }, consumer_group: { id } })).toEqual({
      '@entity': ["only one or none of these fields must be set: 'consumer', 'consumer_group'"],
    });
  });
});

test('a plugin may serve fewer protocols than others', () => {
  expect(errorsOf({ name: 'http', protocols: ['tcp'] })).toEqual({ protocols: ['expected one of: grpc, grpcs, http, https'] });
});

describe('the protocols of a plugin', () => {
  const ROUTE = "must match the associated route's protocols";
  const SERVICE = "must match the protocols of at least one route pointing to this Plugin's service";
  const rowsOf = (...routes: string[][]): Rows => {
    const rows = routes.map(protocols => ({ protocols }));
    return { find: () => rows[0] as never, page: () => ({ rows: rows as never[] }) };
  };

  test.each([
    [{}, [['https']], undefined],
    [{ route: { id } }, [['http']], undefined],
    [{ route: { id } }, [['https']], { protocols: ROUTE }],
    [{ route: { id } }, [], undefined],
    [{ service: { id } }, [['https'], ['https', 'http']], undefined],
    [{ service: { id } }, [['https'], ['https']], { protocols: SERVICE }],
    [{ service: { id } }, [], undefined],
  ])('of %j among routes of %j: %j', (scope, routes, errors) => {
    const row = pluginRow({ id, name: 'http', protocols: ['http'], ...(scope as Partial<PluginRow>) });
    expect(plugin.checkAmong?.(row, rowsOf(...routes))).toEqual(errors as never);
  });
});
