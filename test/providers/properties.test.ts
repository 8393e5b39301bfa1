import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/lib/json.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import type { Operation, Provider } from '../../src/providers/provider.ts';
import { providers } from '../../src/providers/registry.ts';
import { frozen } from '../support/frozen.ts';
import { type Golden, goldens, streamedText, textOf } from '../support/goldens.ts';
import { randomOf } from '../support/random.ts';
import { randomChat } from '../support/random-chat.ts';

const CHATS = 400;
/** Of a long stream so many places are cut; of a short one every byte. */
const MOST_CUTS = 600;

const upstream_url = 'https://models.test/v1/chat';
/** What a provider cannot do without, and the formats it can be told to speak. */
const CONFIGURED: Readonly<Record<string, readonly JsonObject[]>> = {
  anthropic: [{ anthropic_version: '2023-06-01' }],
  azure: [{ azure_instance: 'a', azure_deployment_id: 'b', azure_api_version: 'c' }],
  bedrock: [{ bedrock: { aws_region: 'us-east-1' } }],
  cohere: [{}, { upstream_url: 'https://api.cohere.com/v1/chat' }],
  databricks: [{ databricks: { workspace_instance_id: 'a' } }],
  gemini: [{}, { gemini: { api_endpoint: 'a.googleapis.com', project_id: 'b', location_id: 'c' } }],
  llama2: ['raw', 'openai', 'ollama'].map(llama2_format => ({ llama2_format, upstream_url })),
  mistral: ['openai', 'ollama'].map(mistral_format => ({ mistral_format, upstream_url })),
};
const asConfigured = providers.flatMap((provider: Provider) =>
  (CONFIGURED[provider.name] ?? [{}]).map(options => [`${provider.name} ${JSON.stringify(options)}`, provider, options] as const),
);

/** What is made, or the refusal to. Any other throw is none of both. */
function refusedOr<T>(make: () => T): T | RequestFailure {
  try {
    return make();
  } catch (error) {
    if (error instanceof RequestFailure) return error;
    throw error;
  }
}

const sentBy = (operation: Operation<JsonObject, unknown, unknown>, chat: JsonObject): object =>
  refusedOr(() => (operation.dialect === 'own' ? operation.request(chat) : { ...chat, ...operation.patch?.(chat) }));

describe.each(asConfigured)('%s', (_, provider, options) => {
  const operation = provider.model({ name: null, options }).chat as unknown as Operation<JsonObject, unknown, unknown>;
  const random = randomOf(4);
  const chats = Array.from({ length: CHATS }, () => frozen(randomChat(random)) as unknown as JsonObject);

  test('makes a request of every chat or refuses it with words, and changes none', () => {
    const sent = chats.map(chat => sentBy(operation, chat));
    for (const result of sent) {
      if (!(result instanceof RequestFailure)) {
        expect(JSON.parse(JSON.stringify(result))).toBeObject();
        continue;
      }
      expect(result.status).toBe(400);
      expect(result.message).not.toBe('');
    }
    expect(sent.some(result => !(result instanceof RequestFailure))).toBe(true);
  });

  test('sends the same for the same chat', () => {
    const results = () => chats.slice(0, 50).map(chat => JSON.stringify(sentBy(operation, chat)));
    expect(results()).toEqual(results());
  });

  if (operation.dialect === 'openai') {
    test('sends members that nobody here knows as they came', () => {
      for (const chat of chats) {
        const unknown = { 'x-unknown': { a: [1, null] }, another: false };
        const sent = sentBy(operation, frozen({ ...chat, ...unknown }));
        if (!(sent instanceof RequestFailure)) expect(sent).toMatchObject(unknown);
      }
    });
  }

  test('is called at the same origin, whatever the model is called', () => {
    const callOf = (model: string, stream: boolean) => operation.endpoint({ model, stream, path: '/', query: '' });
    const { origin } = new URL(callOf('m', false).url);
    for (const model of ['a/b c', '../../x', '//elsewhere.test', '?#@', 'arn:aws:bedrock:us-east-1:1:inference-profile/a', '模型']) {
      for (const stream of [true, false]) {
        const result = refusedOr(() => new URL(callOf(model, stream).url).origin);
        expect(result instanceof RequestFailure ? result.status : result).toBe(result instanceof RequestFailure ? 400 : origin);
      }
    }
  });
});

/** Completions and embeddings as OpenAI's schema allows them. */
const OTHERS = {
  completions: ['a', ['a'], ['a', 'b'], [1, 2], [[1], [2]], ''].flatMap(prompt => [
    { model: 'm', prompt },
    { model: 'm', prompt, suffix: 'b', echo: true, best_of: 2, n: 2, logprobs: 3, stop: null, stream: true },
    { model: 'm', prompt, max_tokens: 5, temperature: null, logit_bias: {}, stop: ['a'], user: 'ann', seed: 1 },
  ]),
  embeddings: ['a', ['a', 'b'], [1, 2], [[1], [2, 3]]].flatMap(input => [
    { model: 'm', input },
    { model: 'm', input, encoding_format: 'base64', dimensions: 3, user: 'ann' },
    { model: 'm', input, encoding_format: null, dimensions: null },
  ]),
} as const;

const others = asConfigured.flatMap(([title, provider, options]) =>
  (['completions', 'embeddings'] as const).flatMap(kind => {
    const operation = provider.model({ name: null, options })[kind] as unknown as Operation<JsonObject, unknown, unknown> | undefined;
    return operation === undefined ? [] : [[kind, title, operation] as const];
  }),
);

test.each(others)('%s of %s are sent or refused with words', (kind, _, operation) => {
  const sent = OTHERS[kind].map(asked => sentBy(operation, frozen(asked) as unknown as JsonObject));
  for (const result of sent) {
    if (result instanceof RequestFailure) expect([result.status, result.message.length > 0]).toEqual([400, true]);
    else expect(JSON.parse(JSON.stringify(result))).toBeObject();
  }
});

const streams = providers.flatMap((provider: Provider) =>
  readdirSync(join(import.meta.dir, provider.name)).flatMap(name => {
    const golden = goldens(provider, name);
    const { stream } = golden.files;
    return stream === undefined ? [] : [[`${provider.name} ${name}`, golden, stream] as const];
  }),
);

/** Comments say that the vendor is at work: how many there are depends on the network. */
const withoutComments = (text: string) => text.replaceAll(/^:.*\n\n/gm, '');
const readOf = (golden: Golden, pieces: Iterable<Uint8Array>) => withoutComments(textOf(streamedText(golden, pieces)));

describe.each(streams)('the stream of %s', (_, golden, stream) => {
  const whole = readOf(golden, [stream]);

  test('is no success when it is cut before its end', () => {
    const step = Math.max(1, Math.floor(stream.length / MOST_CUTS));
    for (let at = 0; at < stream.length; at += step) {
      const text = readOf(golden, [stream.subarray(0, at)]);
      // Cut after all that counts, it is whole.
      if (text.trim() === whole.trim()) continue;
      expect({ at, done: text.includes('[DONE]') }).toEqual({ at, done: false });
      expect(text).toContain('"error"');
    }
  });

  test('says the same however the network cuts it', () => {
    const { below } = randomOf(stream.length);
    for (let round = 0; round < 40; round += 1) expect(readOf(golden, cutAt(stream, 1 + below(12), below))).toBe(whole);
  });
});

function* cutAt(bytes: Uint8Array, pieces: number, below: (limit: number) => number) {
  const places = Array.from({ length: pieces }, () => below(bytes.length)).sort((a, b) => a - b);
  let start = 0;
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(start, place);
    start = place;
  }
}
