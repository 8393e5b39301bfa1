import { describe, expect, test } from 'bun:test';
import { pluginEntity } from '../../src/entities/plugin-entity.ts';
import { integer, record, string } from '../../src/schema/field.ts';
import { validate } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';

const limit = record(
  { minute: integer({ gt: 0 }), hour: integer({ gt: 0 }), by: string({ default: 'ip' }) },
  { entity_checks: [{ at_least_one_of: ['minute', 'hour'] }] },
);
const plugin = pluginEntity(name => (name === 'limit' ? limit : null));

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
