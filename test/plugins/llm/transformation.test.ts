import { describe, expect, test } from 'bun:test';
import { aiRequestTransformer } from '../../../src/plugins/ai-request-transformer.ts';
import { aiResponseTransformer } from '../../../src/plugins/ai-response-transformer.ts';
import { describe as print } from '../../../src/schema/describe.ts';
import request39 from '../../fixtures/kong/plugins/ai-request-transformer.json';
import response39 from '../../fixtures/kong/plugins/ai-response-transformer.json';
import request315 from '../../fixtures/kong/plugins-3.15/ai-request-transformer.json';
import response315 from '../../fixtures/kong/plugins-3.15/ai-response-transformer.json';
import { configOf, type Facts, printedFields, publishedFields } from '../../support/kong-fields.ts';

/** Fields that say otherwise than Kong 3.9's, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  max_request_body_size: 'is 1 MiB as in 3.15, and 0 is without limit',
  http_timeout: 'must be some time',
  'llm.route_type': 'names the embeddings of 3.15, to be refused with the others',
  'llm.model.provider': 'has the vendors of 3.15',
  'llm.auth.gcp_service_account_json': 'is encrypted as in 3.15',
};

describe.each([
  ['ai-request-transformer', aiRequestTransformer, request39, request315],
  ['ai-response-transformer', aiResponseTransformer, response39, response315],
])('the configuration of %s', (_, { config, priority }, kong39, kong315) => {
  const ours = printedFields(print(config));
  const older = printedFields(configOf(kong39));
  const newer = publishedFields(kong315.properties.config as Facts);

  test('runs when Kong’s does', () => expect(priority).toBe(kong39.priority));

  test.each([...older])('has %s of Kong 3.9', (path, kongs) => {
    const { required: _, ...own } = ours.get(path) ?? {};
    const { required: __, ...theirs } = kongs;
    if (path in DIFFERENT) expect(own).not.toEqual(theirs);
    else expect(own).toEqual(theirs);
    // Kong 3.15 requires the record that 3.9 cannot do without.
    expect(ours.get(path)?.required ?? false).toBe(path === 'llm' || (kongs.required ?? false));
  });

  test.each([...newer])('has %s of Kong 3.15', (path, { type, default: initial }) => {
    const own = ours.get(path);
    const wanted = path === 'llm.metadata' ? 'json' : type === 'object' ? 'record' : type;
    expect([own?.type, own?.default]).toEqual([wanted, initial]);
  });

  test('has no field that neither Kong has', () => {
    expect([...ours.keys()].filter(path => !older.has(path) && !newer.has(path))).toEqual([]);
  });
});
