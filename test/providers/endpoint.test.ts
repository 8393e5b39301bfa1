import { describe, expect, test } from 'bun:test';
import { cohere } from '../../src/providers/cohere.ts';
import { openai } from '../../src/providers/openai.ts';
import type { Options, Provider } from '../../src/providers/provider.ts';

const call = { model: 'm', stream: false, path: '/' };

describe('operations are called', () => {
  test.each<[Provider, 'chat' | 'completions', Options, string]>([
    [openai, 'chat', {}, 'https://api.openai.com/v1/chat/completions'],
    [openai, 'completions', {}, 'https://api.openai.com/v1/completions'],
    [openai, 'chat', { upstream_path: '/proxy/chat' }, 'https://api.openai.com/proxy/chat'],
    [openai, 'chat', { upstream_url: 'http://127.0.0.1:8080' }, 'http://127.0.0.1:8080/'],
    [openai, 'chat', { upstream_url: 'https://models.test/v1/chat/completions?v=1' }, 'https://models.test/v1/chat/completions?v=1'],
    [openai, 'chat', { upstream_url: 'https://models.test/a', upstream_path: '/b' }, 'https://models.test/a'],
    [openai, 'chat', { upstream_path: '/proxy/chat?v=1' }, 'https://api.openai.com/proxy/chat?v=1'],
    [cohere, 'chat', {}, 'https://api.cohere.com/v2/chat'],
    [cohere, 'completions', {}, 'https://api.cohere.com/v2/chat'],
    [cohere, 'chat', { upstream_url: 'http://127.0.0.1:8080/v2/chat' }, 'http://127.0.0.1:8080/v2/chat'],
  ])('%o %s with %j', (provider, operation, options, url) => {
    expect(provider.model({ name: null, options: { ...options } })[operation]?.endpoint(call).url).toBe(url);
  });

  test.each([
    ['/v1/files/file-1', '/v1/files/file-1'],
    ['/a%2Fb', '/a%2Fb'],
    ['//elsewhere.test/x', '//elsewhere.test/x'],
    ['/\\elsewhere.test/x', '//elsewhere.test/x'],
    ['/\t/elsewhere.test', '//elsewhere.test'],
    ['https://elsewhere.test', '/https://elsewhere.test'],
    ['@elsewhere.test', '/@elsewhere.test'],
    ['', '/'],
  ])('at the origin of the vendor, whatever path the client chose: %j', (path, expected) => {
    const url = `https://api.openai.com${expected}`;
    expect(openai.model({ name: null, options: {} }).preserve?.endpoint({ ...call, path }).url).toBe(url);
    if (path !== '') expect(openai.model({ name: null, options: { upstream_path: path } }).chat?.endpoint(call).url).toBe(url);
  });
});
