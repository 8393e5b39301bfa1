import { expect, describe as group, test } from 'bun:test';
import { aiProxy } from '../../../src/plugins/ai-proxy.ts';
import { describe } from '../../../src/schema/describe.ts';
import kong39 from '../../fixtures/kong/plugins/ai-proxy.json';
import kong315 from '../../fixtures/kong/plugins-3.15/ai-proxy.json';
import { configOf, type Facts, printedFields, publishedFields } from '../../support/kong-fields.ts';

const ours = printedFields(describe(aiProxy.config));

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
