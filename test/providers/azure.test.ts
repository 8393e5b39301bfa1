import { describe, expect, test } from 'bun:test';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { azure } from '../../src/providers/azure.ts';
import type { Options } from '../../src/providers/provider.ts';
import { configured, openHost } from '../support/host.ts';

interface AzureOptions extends Options {
  readonly azure_instance?: string | null;
  readonly azure_deployment_id?: string | null;
  readonly azure_api_version?: string | null;
}
const OPTIONS = { azure_instance: 'contoso', azure_deployment_id: 'gpt-4o', azure_api_version: '2024-10-21' };
const model = (options: AzureOptions = {}) => azure.model({ name: null, options: { ...OPTIONS, ...options } });
const DEPLOYMENT = 'https://contoso.openai.azure.com/openai/deployments/gpt-4o';

describe('a deployment is called', () => {
  const call = { model: 'm', stream: false, path: '/openai/files' };

  test.each<[AzureOptions, string, 'chat' | 'completions' | 'embeddings' | 'preserve', string]>([
    [{}, '', 'chat', `${DEPLOYMENT}/chat/completions?api-version=2024-10-21`],
    [{}, '', 'completions', `${DEPLOYMENT}/completions?api-version=2024-10-21`],
    [{}, '', 'embeddings', `${DEPLOYMENT}/embeddings?api-version=2024-10-21`],
    [{}, '', 'preserve', 'https://contoso.openai.azure.com/openai/files?api-version=2024-10-21'],
    [{}, '?api-version=2025-01-01-preview&x=1', 'chat', `${DEPLOYMENT}/chat/completions?api-version=2025-01-01-preview`],
    [{}, '?x=1', 'chat', `${DEPLOYMENT}/chat/completions?api-version=2024-10-21`],
    [{ upstream_path: '/extensions/chat' }, '', 'chat', `${DEPLOYMENT}/extensions/chat?api-version=2024-10-21`],
    [{ upstream_path: 'chat' }, '', 'chat', `${DEPLOYMENT}/chat?api-version=2024-10-21`],
    [{ upstream_url: 'https://private.test/chat' }, '', 'chat', 'https://private.test/chat?api-version=2024-10-21'],
    [{ upstream_url: 'https://private.test/chat?api-version=1' }, '?api-version=2', 'chat', 'https://private.test/chat?api-version=1'],
    [
      { azure_deployment_id: 'a b/../c?d#e' },
      '',
      'chat',
      'https://contoso.openai.azure.com/openai/deployments/a%20b%2F..%2Fc%3Fd%23e/chat/completions?api-version=2024-10-21',
    ],
  ])('with %j and %j: %s', (options, query, operation, url) => {
    expect(model(options)[operation]?.endpoint({ ...call, query }).url).toBe(url);
  });

  test.each(['evil.test/', 'evil.test#', 'a.b', 'a@evil', '', '-a', 'a\n', 'ä', 'a'.repeat(64)])('never at the host %j', azure_instance => {
    expect(() => model({ azure_instance })).toThrow(ConfigurationError);
  });

  test.each(['.', '..', '', '\ud800'])('never by the name %j', azure_deployment_id => {
    expect(() => model({ azure_deployment_id })).toThrow(ConfigurationError);
  });
});

test.each([
  ['2023-05-15', false],
  ['2024-06-01', false],
  ['2024-09-01-preview', true],
  ['2025-03-01', true],
])('with version %s, that a stream tells its usage may be asked: %s', (azure_api_version, known) => {
  const { chat } = model({ azure_api_version });
  expect(chat?.dialect === 'openai' && chat.streamsUsage).toBe(known);
});

describe('the configuration', () => {
  const configure = (options: object, auth: object = {}) =>
    configured(aiProxy, { route_type: 'llm/v1/chat', auth, model: { provider: 'azure', options } }, openHost().host);

  test.each(['azure_instance', 'azure_api_version', 'azure_deployment_id'])('must say its %s', option => {
    expect(() => configure({ ...OPTIONS, [option]: null })).toThrow(`must set 'model.options.${option}' for azure provider`);
  });

  test('has a version when it says none', () => {
    const { azure_api_version: _, ...options } = OPTIONS;
    expect(() => configure(options)).not.toThrow();
  });

  test.each([
    [{ azure_client_secret: 's' }, 'auth.azure_client_secret needs auth.azure_client_id and auth.azure_tenant_id'],
    [{ azure_client_secret: 's', azure_client_id: 'i' }, 'auth.azure_client_secret needs'],
    [{ azure_client_id: 'i' }, 'need auth.azure_client_secret or auth.azure_use_managed_identity'],
    [{ azure_tenant_id: 't' }, 'need auth.azure_client_secret or auth.azure_use_managed_identity'],
  ])('may not say who asks by half: %j', (auth, message) => {
    expect(() => configure(OPTIONS, auth)).toThrow(message);
  });

  test.each([
    {},
    { header_name: 'api-key', header_value: 'k' },
    { azure_use_managed_identity: true },
    { azure_use_managed_identity: true, azure_client_id: 'i' },
    { azure_client_id: 'i', azure_client_secret: 's', azure_tenant_id: 't' },
  ])('may say who asks by %j', auth => {
    expect(() => configure(OPTIONS, auth)).not.toThrow();
  });
});
