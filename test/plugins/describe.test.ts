import { describe as describeTests, expect, test } from 'bun:test';
import { acl } from '../../src/plugins/acl/acl.ts';
import { aiPromptDecorator } from '../../src/plugins/ai-prompt-decorator.ts';
import { aiPromptGuard } from '../../src/plugins/ai-prompt-guard.ts';
import { aiPromptTemplate } from '../../src/plugins/ai-prompt-template.ts';
import { basicAuth } from '../../src/plugins/basic-auth/basic-auth.ts';
import { botDetection } from '../../src/plugins/bot-detection.ts';
import { correlationId } from '../../src/plugins/correlation-id.ts';
import { cors } from '../../src/plugins/cors.ts';
import { fileLog } from '../../src/plugins/file-log.ts';
import { hmacAuth } from '../../src/plugins/hmac-auth/hmac-auth.ts';
import { httpLog } from '../../src/plugins/http-log.ts';
import { ipRestriction } from '../../src/plugins/ip-restriction.ts';
import { jwt } from '../../src/plugins/jwt/jwt.ts';
import { keyAuth } from '../../src/plugins/key-auth/key-auth.ts';
import { opentelemetry } from '../../src/plugins/opentelemetry.ts';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { prometheus } from '../../src/plugins/prometheus.ts';
import { proxyCache } from '../../src/plugins/proxy-cache.ts';
import { rateLimiting } from '../../src/plugins/rate-limiting.ts';
import { redirect } from '../../src/plugins/redirect.ts';
import { plugins } from '../../src/plugins/registry.ts';
import { requestSizeLimiting } from '../../src/plugins/request-size-limiting.ts';
import { requestTermination } from '../../src/plugins/request-termination.ts';
import { requestTransformer } from '../../src/plugins/request-transformer.ts';
import { responseRatelimiting } from '../../src/plugins/response-ratelimiting.ts';
import { responseTransformer } from '../../src/plugins/response-transformer.ts';
import { syslog } from '../../src/plugins/syslog.ts';
import { tcpLog } from '../../src/plugins/tcp-log.ts';
import { udpLog } from '../../src/plugins/udp-log.ts';
import { describe } from '../../src/schema/describe.ts';
import type { Field } from '../../src/schema/field.ts';
import { protocols } from '../../src/schema/typedefs.ts';
import decoratorOfKong from '../fixtures/kong/plugins/ai-prompt-decorator.json';
import guardOfKong from '../fixtures/kong/plugins/ai-prompt-guard.json';
import templateOfKong from '../fixtures/kong/plugins/ai-prompt-template.json';
import fileLogOfKong from '../fixtures/kong/plugins/file-log.json';
import httpLogOfKong from '../fixtures/kong/plugins/http-log.json';
import opentelemetryOfKong from '../fixtures/kong/plugins/opentelemetry.json';
import prometheusOfKong from '../fixtures/kong/plugins/prometheus.json';
import syslogOfKong from '../fixtures/kong/plugins/syslog.json';
import tcpLogOfKong from '../fixtures/kong/plugins/tcp-log.json';
import udpLogOfKong from '../fixtures/kong/plugins/udp-log.json';
import decoratorOf315 from '../fixtures/kong/plugins-3.15/ai-prompt-decorator.json';
import guardOf315 from '../fixtures/kong/plugins-3.15/ai-prompt-guard.json';
import templateOf315 from '../fixtures/kong/plugins-3.15/ai-prompt-template.json';

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

test.each([
  [fileLog, fileLogOfKong],
  [prometheus, prometheusOfKong],
  [syslog, syslogOfKong],
  [tcpLog, tcpLogOfKong],
  [udpLog, udpLogOfKong],
])('the configuration of $name is printed as Kong prints it', ({ config, priority }, golden) => {
  const { required, ...printed } = describe(config);
  const { required: _, ...wanted } = comparable(configOf(golden)) as Record<string, unknown>;
  expect(required).toBe(true);
  expect(comparable(printed)).toEqual(wanted);
  expect(priority).toBe(golden.priority);
});

test('the configuration of http-log is printed as Kong prints it, but for queue: its defaults are filled in', () => {
  const { required, ...printed } = comparable(describe(httpLog.config)) as { required: boolean; fields: { queue: { required?: boolean } } };
  expect(required).toBe(true);
  const { required: filled, ...queue } = printed.fields.queue;
  expect(filled).toBe(true);
  expect({ ...printed, fields: { ...printed.fields, queue } } as unknown).toEqual(comparable(configOf(httpLogOfKong)));
  expect(httpLog.priority).toBe(httpLogOfKong.priority);
});

test('the configuration of opentelemetry is printed as Kong prints it, but for the formats of traces, which the golden lacks, and what 3.15 adds', () => {
  const { required, ...printed } = comparable(describe(opentelemetry.config)) as { fields: Record<string, object>; required: boolean };
  const { sampling_strategy, propagation, ...fields } = printed.fields;
  const wanted = comparable(configOf(opentelemetryOfKong)) as { fields: Record<string, object> };
  const { propagation: wantedPropagation, ...wantedFields } = wanted.fields;
  expect(required).toBe(true);
  expect({ ...printed, fields } as object).toEqual({ ...wanted, fields: wantedFields });
  expect(sampling_strategy).toEqual({
    type: 'string',
    default: 'parent_drop_probability_fallback',
    one_of: ['parent_drop_probability_fallback', 'parent_probability_fallback'],
  });
  const withoutFormats = (description?: object) =>
    JSON.parse(JSON.stringify(description, (name, value) => (name === 'one_of' ? undefined : value)));
  expect(withoutFormats(propagation)).toEqual(withoutFormats(wantedPropagation));
  expect(opentelemetry.priority).toBe(opentelemetryOfKong.priority);
});

describeTests('the configuration of a prompt plugin is printed as Kong 3.9 prints it, but for', () => {
  // Kong 3.15 has a larger default, and takes 0 for no limit.
  const size = { max_request_body_size: { type: 'integer', gt: -1, default: 1_048_576 } };
  // Clients speak OpenAI's format; another one is refused.
  const format = { llm_format: { type: 'string', default: 'openai', one_of: ['openai'] } };
  // Kong 3.15 has it; what is no text cannot be looked at.
  const category = { genai_category: { type: 'string', default: 'text/generation', one_of: ['text/generation', 'text/embeddings'] } };
  // Kong 3.15 takes longer messages.
  const longer = JSON.parse(JSON.stringify(decoratorOfKong).replaceAll('"len_max":500', '"len_max":100000')) as typeof decoratorOfKong;

  test.each([
    ['ai-prompt-template', aiPromptTemplate, templateOfKong, size],
    ['ai-prompt-decorator', aiPromptDecorator, longer, { ...size, ...format }],
    ['ai-prompt-guard', aiPromptGuard, guardOfKong, { ...size, ...format, ...category }],
  ])('its later fields: %s', (_, plugin, golden, exceptions) => {
    const { required, ...printed } = withoutOptional(comparable(describe(plugin.config))) as Record<string, unknown>;
    const { fields, ...wanted } = withoutOptional(comparable(configOf(golden))) as Record<string, unknown>;
    expect(required).toBe(true);
    expect(printed).toEqual({ ...wanted, fields: { ...(fields as object), ...exceptions } });
    const { entity_checks }: { readonly name: string; readonly entity_checks?: unknown } = golden;
    expect(plugin.entity_checks as unknown).toEqual(entity_checks);
    expect(plugin.priority).toBe(golden.priority);
  });
});

/** What is not required may be said so or not. */
function withoutOptional(description: unknown): unknown {
  if (typeof description !== 'object' || description === null || Array.isArray(description)) return description;
  const entries = Object.entries(description).filter(([name, fact]) => !(name === 'required' && fact === false));
  return Object.fromEntries(entries.map(([name, fact]) => [name, withoutOptional(fact)]));
}

/** Records whose defaults are filled in; only `replace` has a `uri`, which the fixture shows in all that were made from it. */
const FILLED_IN = Object.fromEntries(['remove', 'rename', 'replace', 'add', 'append'].map(name => [name, { required: true }]));
const withoutUri = ({ uri: _, ...fields }: Record<string, unknown>) => fields;

/** Without functions. */
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value ?? null, (_, fact) => (fact === FUNCTION ? undefined : fact)));

/** With facts that the fixture has lost, since Kong computes them. */
test.each<[Plugin, Record<string, object>]>([
  [botDetection, {}],
  [correlationId, {}],
  [cors, {}],
  [ipRestriction, {}],
  [acl, { include_consumer_groups: { type: 'boolean', default: false } }],
  [basicAuth, {}],
  [hmacAuth, {}],
  [jwt, {}],
  [keyAuth, {}],
  // Groups of consumers are counted together since Kong 3.10.
  [rateLimiting, { limit_by: { one_of: ['consumer', 'credential', 'ip', 'service', 'header', 'path', 'consumer-group'] } }],
  [proxyCache, { strategy: { one_of: ['memory'] }, memory: { required: true }, response_headers: { required: true } }],
  [redirect, {}],
  [requestSizeLimiting, { size_unit: { default: 'megabytes', one_of: ['megabytes', 'kilobytes', 'bytes'] } }],
  [requestTermination, {}],
  [requestTransformer, FILLED_IN],
  [responseRatelimiting, {}],
  [responseTransformer, FILLED_IN],
])('the configuration of $name is printed as Kong prints it', async (plugin, computed) => {
  const golden = await Bun.file(`${import.meta.dir}/../fixtures/kong/plugins/${plugin.name}.json`).json();
  const { required, ...printed } = withoutOptional(comparable(describe(plugin.config))) as Record<string, unknown>;
  const { fields, ...wanted } = withoutOptional(comparable(configOf(golden))) as { fields: Record<string, object> };
  for (const name of ['add', 'append']) {
    const changes = fields[name] as { fields: Record<string, unknown> } | undefined;
    if (changes) changes.fields = withoutUri(changes.fields);
  }
  const more = Object.entries(computed).map(([name, facts]) => [name, { ...fields[name], ...facts }]);
  expect(required).toBe(true);
  expect(printed).toEqual({ ...wanted, fields: { ...fields, ...Object.fromEntries(more) } });
  expect(asJson(plugin.entity_checks)).toEqual(asJson(golden.entity_checks));
  expect(plugin.priority).toBe(golden.priority);
});

test.each([
  ['ai-prompt-template', aiPromptTemplate, templateOf315],
  ['ai-prompt-decorator', aiPromptDecorator, decoratorOf315],
  ['ai-prompt-guard', aiPromptGuard, guardOf315],
])('the configuration of %s has the fields of Kong 3.15, and their defaults', (_, { config }, golden) => {
  const fields = Object.entries<Field>(config.fields).map(([name, { facts }]) => [name, facts.default]);
  const properties = Object.entries(golden.properties.config.properties) as [string, { default?: unknown }][];
  const wanted = properties.map(([name, field]) => [name, field.default]);
  expect(fields.sort()).toEqual(wanted.sort());
});

test.each(plugins.map(plugin => [plugin.name, plugin] as const))('rows of %s take what Kong’s take', async (name, plugin) => {
  const golden = await Bun.file(`${import.meta.dir}/../fixtures/kong/plugins/${name}.json`).json();
  const { config: _, ...wanted } = Object.assign({}, ...(golden as { fields: object[] }).fields) as Record<string, unknown>;
  // Groups of consumers are Kong Enterprise's.
  const { consumer_group: _group, ...fields }: Readonly<Record<string, Field>> = 'fields' in plugin ? plugin.fields : {};
  const own = Object.entries({ protocols, ...fields }).map(([field, declared]) => [field, describe(declared)]);
  expect(Object.fromEntries(own)).toEqual(wanted);
});
