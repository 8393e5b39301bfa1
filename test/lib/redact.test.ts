import { describe, expect, test } from 'bun:test';
import { redact, redactText, withoutSecrets } from '../../src/lib/redact.ts';

describe('redactText takes out', () => {
  test.each([
    ['a bearer token', 'sent Authorization: Bearer abc123def', 'sent Authorization: Bearer [redacted]'],
    ['a basic credential', 'Basic dXNlcjpwYXNz==', 'Basic [redacted]'],
    ['an OpenAI key', 'Incorrect API key provided: sk-proj-1234567890.', 'Incorrect API key provided: [redacted].'],
    ['user and password of a URL', 'http://user:pass@proxy:3128/', 'http://[redacted]@proxy:3128/'],
    ['a key in a query', 'GET https://a.example/v1?key=AIza123&alt=sse', 'GET https://a.example/v1?key=[redacted]&alt=sse'],
  ])('%s', (_, text, clean) => expect(redactText(text)).toBe(clean));

  test.each(['Basic authentication failed', 'the Bearer of this', 'max_tokens 512', 'http://host/path@2x', 'task-manager'])(
    'nothing of: %s',
    text => expect(redactText(text)).toBe(text),
  );
});

test('redact hides members by their names and cleans every text', () => {
  const facts = {
    headers: { authorization: 'Bearer a', 'x-api-key': 'b', cookie: 'c', accept: 'd' },
    auth: { header_value: 'e', header_name: 'Authorization' },
    admin_token: 'f',
    usage: { prompt_tokens: 3, total_tokens: 4 },
    list: ['Bearer abc123', null, 7],
  };
  expect(redact(facts)).toEqual({
    headers: { authorization: '[redacted]', 'x-api-key': '[redacted]', cookie: '[redacted]', accept: 'd' },
    auth: { header_value: '[redacted]', header_name: 'Authorization' },
    admin_token: '[redacted]',
    usage: { prompt_tokens: 3, total_tokens: 4 },
    list: ['Bearer [redacted]', null, 7],
  });
});

test('redact keeps an absent secret absent', () => {
  expect(redact({ admin_token: null })).toEqual({ admin_token: null });
});

test('withoutSecrets takes these very secrets out, wherever and however often they stand', () => {
  expect(withoutSecrets('key k-1 of k-1, not k-2; $& stays', ['k-1', '$&'])).toBe(
    'key [redacted] of [redacted], not k-2; [redacted] stays',
  );
  expect(withoutSecrets('nothing to hide', [])).toBe('nothing to hide');
});
