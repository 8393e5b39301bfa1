import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatEvent, ChatResponse } from '../../src/chat/chat.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';
import { openaiCompletions } from '../../src/formats/openai-completions.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import type { Operation } from '../../src/providers/provider.ts';
import { providers } from '../../src/providers/registry.ts';
import { isChatAnswer, isChatStream, isCompletionAnswer, isCompletionStream } from '../support/openai-shapes.ts';

/**
 * A folder for each provider, and in it one for each case: what a client asks (`chat.json` or `completion.json`) becomes
 * `request.json`, the vendor's `answer.json` becomes `response.json`, and its `answer.stream` becomes `events.jsonl`.
 * `options.json` holds the model's configured options where a case needs some.
 */
const facts = { id: 'chatcmpl-1', model: 'asked', created: 1, includeUsage: true };

for (const provider of providers) {
  const home = join(import.meta.dir, provider.name);
  describe.each(readdirSync(home))(`${provider.name} %s`, async name => {
    const folder = join(home, name);
    const read = (file: string) => Bun.file(join(folder, file)).text();
    const readJson = async (file: string) => JSON.parse(await read(file)) as JsonObject;
    const has = (file: string) => existsSync(join(folder, file));

    const options = has('options.json') ? await readJson('options.json') : {};
    const isChat = has('chat.json');
    const model = provider.model({ name: null, options });
    const operation = (isChat ? model.chat : model.completions) as Operation<JsonObject, ChatResponse, ChatEvent>;
    const format = (isChat ? openaiChat : openaiCompletions) as typeof openaiChat;

    test('is asked as its API says', async () => {
      const request = await readJson(isChat ? 'chat.json' : 'completion.json');
      const sent = operation.dialect === 'own' ? operation.request(request) : { ...request, ...operation.patch?.(request) };
      expect(JSON.parse(JSON.stringify(sent))).toEqual(await readJson('request.json'));
    });

    if (has('answer.json') && operation.dialect === 'own') {
      test('answers in the inner language, which the client gets as OpenAI documents it', async () => {
        const response = operation.response(await readJson('answer.json'));
        expect(response as object).toEqual(await readJson('response.json'));
        const answer = JSON.parse(JSON.stringify(format.answer(response, facts)));
        expect(isChat ? isChatAnswer(answer) : isCompletionAnswer(answer)).toBe(true);
      });
    }

    if (has('answer.stream') && operation.dialect === 'own') {
      const bytes = new Uint8Array(await Bun.file(join(folder, 'answer.stream')).arrayBuffer());
      const events = has('events.jsonl')
        ? (await read('events.jsonl'))
            .trim()
            .split('\n')
            .map(line => JSON.parse(line))
        : [];

      const feed = (chunks: Iterable<Uint8Array>) => {
        const { decode, translate } = operation.stream();
        return [...chunks].flatMap(chunk => decode(chunk).flatMap(translate));
      };
      test.each<[string, (bytes: Uint8Array) => Iterable<Uint8Array>]>([
        ['whole', all => [all]],
        ['by event', byEvent],
        ['byte by byte', all => all.values().map(byte => Uint8Array.of(byte))],
      ])('streams the same events fed %s', (_, cut) => {
        expect(feed(cut(bytes))).toEqual(events);
      });

      test('streams what the client gets as OpenAI documents it', () => {
        const out = format.stream(facts);
        const text = feed([bytes]).map(out.event).join('') + out.end();
        expect(isChat ? isChatStream(text) : isCompletionStream(text)).toBe(true);
      });
    }
  });
}

function* byEvent(bytes: Uint8Array) {
  let start = 0;
  for (let at = 1; at < bytes.length; at += 1) {
    if (bytes[at] !== 0x0a || bytes[at - 1] !== 0x0a) continue;
    yield bytes.subarray(start, at + 1);
    start = at + 1;
  }
  yield bytes.subarray(start);
}
