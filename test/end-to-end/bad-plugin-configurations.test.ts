import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { plugins } from '../../src/plugins/registry.ts';
import { type RunningGateway, startGateway } from '../support/executable.ts';

setDefaultTimeout(30_000);

let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await startGateway({ environment: { SLUICE_WORKERS: '1' } });
});
afterAll(() => gateway.stop());

type Name = (typeof plugins)[number]['name'];
const REQUIRED = 'required field missing';
const BOOLEAN = 'expected a boolean';
const oneOf = (fields: string) => `at least one of these fields must be non-empty: ${fields}`;
const WITHOUT_MODEL = { config: { llm: { route_type: REQUIRED, model: { provider: REQUIRED } } } };
const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'];

/** Of every plugin: a configuration that is none, and what is said of its fields. */
const BAD: Readonly<Record<Name, readonly (readonly [config: object, fields: object])[]>> = {
  acl: [
    [{ allow: ['a'], deny: ['b'] }, { '@entity': ["exactly one of these fields must be non-empty: 'config.allow', 'config.deny'"] }],
    [{ allow: ['a'], hide_groups_header: 'yes' }, { config: { hide_groups_header: BOOLEAN } }],
  ],
  'ai-prompt-decorator': [[{}, { '@entity': [oneOf("'config.prompts.prepend', 'config.prompts.append'")] }]],
  'ai-prompt-guard': [
    [{ allow_patterns: ['('] }, { config: { allow_patterns: "invalid regular expression '(': group is not closed at position 1" } }],
  ],
  'ai-prompt-template': [[{}, { config: { templates: REQUIRED } }]],
  'ai-proxy': [[{ route_type: 'llm/v1/chat' }, { config: { model: { provider: REQUIRED } } }]],
  'ai-request-transformer': [[{ prompt: 'x' }, WITHOUT_MODEL]],
  'ai-response-transformer': [[{ prompt: 'x' }, WITHOUT_MODEL]],
  'basic-auth': [
    [{ hide_credentials: 'maybe' }, { config: { hide_credentials: BOOLEAN } }],
    [{ anonymous: 1 }, { config: { anonymous: 'expected a string' } }],
    [{ realm: '' }, { config: { realm: 'length must be at least 1' } }],
  ],
  'bot-detection': [[{ deny: ['('] }, { config: { deny: ['not a valid regex: ('] } }]],
  'correlation-id': [[{ generator: 'x' }, { config: { generator: 'expected one of: uuid, uuid#counter, tracker' } }]],
  cors: [[{ origins: ['('] }, { config: { origins: ["'(' is not a valid regex"] } }]],
  'file-log': [[{}, { config: { path: REQUIRED } }]],
  'hmac-auth': [
    [{ clock_skew: 0 }, { config: { clock_skew: 'value must be greater than 0' } }],
    [{ algorithms: ['hmac-md5'] }, { config: { algorithms: ['expected one of: hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512'] } }],
    [{ validate_request_body: 'no' }, { config: { validate_request_body: BOOLEAN } }],
  ],
  'http-log': [
    [{}, { config: { http_endpoint: REQUIRED } }],
    [{ http_endpoint: 'nowhere' }, { config: { http_endpoint: 'missing host in url' } }],
  ],
  'ip-restriction': [[{ allow: ['300.0.0.1'] }, { config: { allow: ["invalid ip or cidr range: '300.0.0.1'"] } }]],
  jwt: [
    [{ claims_to_verify: ['aud'] }, { config: { claims_to_verify: ['expected one of: exp, nbf'] } }],
    [{ maximum_expiration: -1 }, { config: { maximum_expiration: 'value should be between 0 and 31536000' } }],
  ],
  'key-auth': [
    [{ key_names: 'apikey' }, { config: { key_names: 'expected an array' } }],
    [{ key_in_body: 'yes' }, { config: { key_in_body: BOOLEAN } }],
  ],
  opentelemetry: [[{}, { config: { '@entity': [oneOf("'traces_endpoint', 'logs_endpoint'")] } }]],
  prometheus: [[{ wasm_metrics: true }, { config: { wasm_metrics: 'this gateway runs no WebAssembly' } }]],
  'proxy-cache': [
    [{}, { config: { strategy: REQUIRED } }],
    [{ strategy: 'redis' }, { config: { strategy: 'expected one of: memory' } }],
  ],
  'rate-limiting': [
    [{}, { '@entity': [oneOf(PERIODS.map(period => `'config.${period}'`).join(', '))] }],
    [{ second: 5, minute: 1 }, { config: 'The limit for minute(1.0) cannot be lower than the limit for second(5.0)' }],
    [{ second: 0 }, { config: { second: 'value must be greater than 0' } }],
  ],
  redirect: [[{ location: 'nowhere' }, { config: { location: 'missing host in url' } }]],
  'request-size-limiting': [[{ size_unit: 'bits' }, { config: { size_unit: 'expected one of: megabytes, kilobytes, bytes' } }]],
  'request-termination': [
    [{ status_code: 700 }, { config: { status_code: 'value should be between 100 and 599' } }],
    [{ message: 'a', body: 'b' }, { config: 'message cannot be used with content_type or body' }],
  ],
  'request-transformer': [
    [{ http_method: 'get' }, { config: { http_method: 'invalid value: get' } }],
    [{ add: { headers: ['x'] } }, { config: { add: { headers: ['invalid value: x'] } } }],
  ],
  'response-ratelimiting': [
    [{}, { config: { limits: REQUIRED } }],
    [{ limits: { a: {} } }, { config: { limits: { '@entity': [oneOf(PERIODS.map(period => `'${period}'`).join(', '))] } } }],
  ],
  'response-transformer': [
    [{ add: { json_types: ['x'] } }, { config: { add: { json_types: ['expected one of: boolean, number, string'] } } }],
  ],
  syslog: [[{ log_level: 'loud' }, { config: { log_level: 'expected one of: debug, info, notice, warning, err, crit, alert, emerg' } }]],
  'tcp-log': [[{ host: 'a' }, { config: { port: REQUIRED } }]],
  'udp-log': [[{ host: 'a', port: 70_000 }, { config: { port: 'value should be between 0 and 65535' } }]],
};

test.each(plugins.map(({ name }) => name as Name))('%s takes no configuration that is none, nor a field that there is not', async name => {
  for (const [config, fields] of BAD[name]) {
    const expected = { status: 400, body: { code: 2, name: 'schema violation', fields } };
    expect(await gateway.request('POST', '/plugins', { name, config })).toMatchObject(expected);
    expect(await gateway.request('POST', '/schemas/plugins/validate', { name, config })).toMatchObject(expected);
  }
  const unknown = { status: 400, body: { fields: { config: { tomorrow: 'unknown field' } } } };
  expect(await gateway.request('POST', '/plugins', { name, config: { tomorrow: true } })).toMatchObject(unknown);
  expect(await gateway.request('GET', '/plugins')).toMatchObject({ body: { data: [] } });
});
