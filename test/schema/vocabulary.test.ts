import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { describe as print } from '../../src/schema/describe.ts';
import type { RecordField } from '../../src/schema/field.ts';
import type { FieldError } from '../../src/schema/field-errors.ts';
import { validate } from '../../src/schema/validate.ts';
import { type NamedFacts, recordFromFacts, withLists, withoutFunctions } from './field-from-facts.ts';

interface Schema {
  readonly name: string;
  readonly fields: readonly NamedFacts[];
  readonly shorthand_fields?: readonly NamedFacts[];
  readonly entity_checks?: unknown;
  readonly transformations?: unknown;
}

const FIXTURES = `${import.meta.dir}/../fixtures/kong`;

/** Every schema of a folder: a file holds one, or a list of them. */
function schemasOf(folder: string): [name: string, schema: Schema][] {
  const files = readdirSync(`${FIXTURES}/${folder}`).filter(name => name.endsWith('.json'));
  const contents = files.map(file => JSON.parse(readFileSync(`${FIXTURES}/${folder}/${file}`, 'utf8'), withLists));
  return contents.flat().map((schema: Schema) => [schema.name, schema]);
}

const plugins = schemasOf('plugins');
const stored = schemasOf('plugin-entities');

const factsOf = ({ entity_checks, transformations }: Schema) => ({
  ...(entity_checks !== undefined && { entity_checks }),
  ...(transformations !== undefined && { transformations }),
});

const read = (schema: Schema): RecordField => recordFromFacts(schema.fields, schema.shorthand_fields, factsOf(schema));

test('there are all plugins of 3.9, and all that they store', () => {
  expect(plugins).toHaveLength(45);
  expect(stored).toHaveLength(12);
});

test.each([...plugins, ...stored])('the schema of %s is printed as it is said', (_name, schema) => {
  const { fields, shorthand_fields } = schema;
  const data = { type: 'record', ...factsOf(schema), fields, ...(shorthand_fields && { shorthand_fields }) };
  expect<unknown>(print(read(schema))).toEqual(withoutFunctions(data));
});

const atLeastOneOf = (...names: string[]) => `at least one of these fields must be non-empty: '${names.join("', '")}'`;
const missing = (...names: string[]) => names.map(name => `config.${name}: required field missing`);
const phases = ['certificate', 'rewrite', 'access', 'header_filter', 'body_filter', 'log'].map(name => `config.${name}`);
const periods = ['second', 'minute', 'hour', 'day', 'month', 'year'].map(name => `config.${name}`);
// The fixtures do not know the formats of traces, which Kong makes in code: none will do.
const noFormat = 'config.propagation.default_format: expected one of: ';

/** What is wrong with a row that says nothing: nothing, where there is no entry. */
const MISSING: Readonly<Record<string, readonly string[]>> = {
  acl: ["exactly one of these fields must be non-empty: 'config.allow', 'config.deny'", atLeastOneOf('config.allow', 'config.deny')],
  acme: missing('account_email'),
  'ai-prompt-decorator': [atLeastOneOf('config.prompts.prepend', 'config.prompts.append')],
  'ai-prompt-guard': [atLeastOneOf('config.allow_patterns', 'config.deny_patterns')],
  'ai-prompt-template': missing('templates'),
  'ai-proxy': missing('model.provider', 'route_type'),
  'ai-request-transformer': missing('prompt'),
  'ai-response-transformer': missing('prompt'),
  'azure-functions': missing('appname', 'functionname'),
  'file-log': missing('path'),
  'http-log': missing('http_endpoint'),
  'ip-restriction': [atLeastOneOf('config.allow', 'config.deny')],
  'ldap-auth': missing('attribute', 'base_dn', 'ldap_host'),
  loggly: missing('key'),
  oauth2: missing('provision_key'),
  opentelemetry: [`config.@entity.0: ${atLeastOneOf('traces_endpoint', 'logs_endpoint')}`, noFormat],
  'post-function': [atLeastOneOf(...phases)],
  'pre-function': [atLeastOneOf(...phases)],
  'proxy-cache': missing('strategy'),
  'rate-limiting': [atLeastOneOf(...periods)],
  redirect: missing('location'),
  'request-size-limiting': missing('size_unit'),
  'response-ratelimiting': missing('limits'),
  'standard-webhooks': missing('secret_v1'),
  'tcp-log': missing('host', 'port'),
  'udp-log': missing('host', 'port'),
  zipkin: [noFormat],
};

/** Messages behind their paths, those of the whole row without. */
function linesOf(error: FieldError | null, path = ''): string[] {
  if (error === null) return [];
  if (typeof error === 'string') return [path.startsWith('@entity') ? error : `${path}: ${error}`];
  return Object.entries(error).flatMap(([name, inner]) => linesOf(inner, path === '' ? name : `${path}.${name}`));
}

describe('a row that says nothing', () => {
  test.each(plugins)('of %s is filled, and refused for what is missing alone', (name, schema) => {
    const result = validate(read(schema), { config: {} });
    expect('errors' in result ? linesOf(result.errors).sort() : []).toEqual([...(MISSING[name] ?? [])].sort());
  });

  test.each(plugins.filter(([name]) => !MISSING[name]))('of %s is filled once and for all', (_name, schema) => {
    const once = validate(read(schema), { config: {} });
    expect(validate(read(schema), 'value' in once ? once.value : undefined)).toEqual(once);
  });
});
