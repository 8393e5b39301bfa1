import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vendorFailure } from '../../src/plugins/llm/failure.ts';
import { providers } from '../../src/providers/registry.ts';
import { byEvent, type Golden, goldens, streamed, streamedText, textOf } from '../support/goldens.ts';
import { answerProblems, errorProblems, streamProblems } from '../support/openai-shapes.ts';

/**
 * A folder for each provider, and in it one for each case: what a client asks (`chat.json`, `completion.json` or `embeddings.json`)
 * becomes `request.json`, the vendor's `answer.json` becomes `response.json`, its `answer.stream` becomes `events.jsonl`, and its
 * `error.json`, `{ "status", "body" }`, becomes what the client gets, `error-response.json`. `options.json` holds the model's
 * configured options where a case needs some. Of a vendor who speaks OpenAI's dialect, `response.json` and `events.jsonl` are
 * what the client gets; of another, what the inner language says.
 * A binary stream of AWS's stands in `answer.messages.jsonl`, one message a line, and is encoded here.
 */
/** So many cases at least; of dialects of their own more. */
const LEAST = (name: string) => (['anthropic', 'gemini', 'bedrock', 'cohere'].includes(name) ? 12 : 6);

test.each(providers.map(({ name }) => name))('%s has its cases, each with the page of the vendor that it is written from', name => {
  const folder = join(import.meta.dir, name);
  const cases = readdirSync(folder);
  expect(cases.length).toBeGreaterThanOrEqual(LEAST(name));
  const unsourced = cases.filter(each => !/^https:\/\/\S/m.test(text(join(folder, each, 'source.txt'))));
  expect(unsourced).toEqual([]);
});

const text = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

for (const provider of providers) {
  describe.each(readdirSync(join(import.meta.dir, provider.name)).map(name => [name, goldens(provider, name)] as const))(
    `${provider.name} %s`,
    (_, golden) => {
      const { kind, operation, files } = golden;
      const { asked, request, answer, response, error, errorResponse, events } = files;

      if (asked !== undefined) {
        test('is asked as its API says', () => {
          const sent = operation.dialect === 'own' ? operation.request(asked) : { ...asked, ...operation.patch?.(asked) };
          expect(JSON.parse(JSON.stringify(sent))).toEqual(request);
        });
      }

      if (answer !== undefined) {
        test('answers what the client gets as OpenAI publishes it', () => {
          const { inner, client } = answered(golden);
          expect(inner).toEqual(response);
          expect(answerProblems(kind, JSON.parse(JSON.stringify(client)))).toEqual([]);
        });
      }

      if (files.stream !== undefined) {
        const { stream } = files;
        test.each<[string, (bytes: Uint8Array) => Iterable<Uint8Array>]>([
          ['whole', all => [all]],
          ['by event', byEvent],
          ['byte by byte', all => all.values().map(byte => Uint8Array.of(byte))],
        ])('streams the same events fed %s', (_, cut) => {
          expect(streamed(golden, cut(stream))).toEqual([...events]);
        });

        test('streams what the client gets as OpenAI publishes it', () => {
          expect(streamProblems(kind, textOf(streamedText(golden, [stream])))).toEqual([]);
        });
      }

      if (error !== undefined) {
        test("refuses in OpenAI's shape, with the status of the vendor", async () => {
          const { status, body } = error;
          const vendors = typeof body === 'string' ? new Response(body, { status }) : Response.json(body, { status });
          const client = await vendorFailure(vendors, operation, []);
          expect(client.status).toBe(status);
          const said = await client.json();
          expect(said).toEqual(errorResponse);
          expect(operation.dialect === 'own' ? errorProblems(said) : []).toEqual([]);
        });
      }
    },
  );
}

function answered({ operation, format, facts, files: { answer } }: Golden) {
  if (operation.dialect === 'own') {
    const inner = operation.response(answer as never);
    return { inner: inner as unknown, client: format.answer(inner, facts) };
  }
  const client: unknown = operation.amend?.answer(answer as never) ?? answer;
  return { inner: client, client };
}
