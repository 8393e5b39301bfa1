import { expect, describe as group, test } from 'bun:test';
import { aiProxy } from '../../../src/plugins/ai-proxy.ts';
import { describe } from '../../../src/schema/describe.ts';
import kong39 from '../../fixtures/kong/plugins/ai-proxy.json';
import kong315 from '../../fixtures/kong/plugins-3.15/ai-proxy.json';

interface Facts {
  readonly type?: unknown;
  readonly required?: unknown;
  readonly default?: unknown;
  readonly one_of?: readonly string[];
  readonly between?: unknown;
  readonly fields?: unknown;
  readonly properties?: unknown;
  readonly entity_checks?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The fields below a record that Kong or sluice prints, by their paths: `model.options.bedrock.aws_region`. */
function printedFields({ fields }: Facts, path = ''): Map<string, Facts> {
  const found = new Map<string, Facts>();
  for (const [name, facts] of (fields as Facts[]).flatMap(field => Object.entries(field) as [string, Facts][])) {
    const { fields: inner, entity_checks: _, ...own } = facts;
    found.set(path + name, Object.fromEntries(Object.entries(own).filter(([, fact]) => fact !== '<fn>')));
    if (inner !== undefined) for (const [below, its] of printedFields(facts, `${path}${name}.`)) found.set(below, its);
  }
  return found;
}

/** The same of Kong's newer schemas, which are JSON schemas. */
function publishedFields({ properties = {} }: Facts, path = ''): Map<string, Facts> {
  const found = new Map<string, Facts>();
  for (const [name, facts] of Object.entries(properties as Record<string, Facts>)) {
    found.set(path + name, facts);
    for (const [below, its] of publishedFields(facts, `${path}${name}.`)) found.set(below, its);
  }
  return found;
}

const ours = printedFields(describe(aiProxy.config));
const configOf = (golden: { fields: object[] }) => (golden.fields.find(field => 'config' in field) as { config: Facts }).config;

group('the configuration of ai-proxy has the fields of Kong 3.9', () => {
  /** Fields that say otherwise, and why. */
  const different: Readonly<Record<string, string>> = {
    route_type: 'has the embeddings of 3.15',
    'model.provider': 'has the vendors of 3.15',
    llm_format: "clients speak OpenAI's format; others are refused",
    'auth.gcp_service_account_json': 'is encrypted as in 3.15',
    max_request_body_size: 'is 1 MiB as in 3.15, and 0 is without limit',
  };

  test.each([...printedFields(configOf(kong39))])('%s', (path, kongs) => {
    const { required: _, ...own } = ours.get(path) ?? {};
    const { required: __, ...theirs } = kongs;
    if (path in different) expect(own).not.toEqual(theirs);
    else expect(own).toEqual(theirs);
    expect(ours.get(path)?.required ?? false).toBe(kongs.required ?? false);
  });
});

group('the configuration of ai-proxy has the fields of Kong 3.15', () => {
  /** Fields that take fewer values, and why. */
  const fewer: Readonly<Record<string, string>> = {
    route_type: 'chat, completions, embeddings, and any call preserved',
    genai_category: 'text alone',
    llm_format: "clients speak OpenAI's format",
  };

  test.each([...publishedFields(kong315.properties.config as Facts)])(
    '%s',
    (path, { type, default: initial, enum: values, minimum, maximum }) => {
      const own = ours.get(path);
      expect(own?.type).toBe(type === 'object' ? 'record' : type);
      expect(own?.default).toEqual(initial);
      if (minimum !== undefined) expect(own?.between).toEqual([minimum, maximum]);
      const taken = own?.one_of;
      const untaken = values?.filter(value => taken?.includes(value) !== true) ?? [];
      expect(taken?.filter(value => values?.includes(value) !== true) ?? []).toEqual([]);
      expect(untaken.length > 0).toBe(path in fewer);
    },
  );
});

test('the configuration of ai-proxy has no field that neither Kong has', () => {
  const known = new Set([...printedFields(configOf(kong39)).keys(), ...publishedFields(kong315.properties.config as Facts).keys()]);
  expect([...ours.keys()].filter(path => !known.has(path))).toEqual([]);
});
