import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateObject, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import type { Said } from '../support/vendors/vendor.ts';
import { breakOff, script, VENDORS } from '../support/vendors.ts';

setDefaultTimeout(20_000);

let gateway: RunningGateway;
const upstreams = new Map<string, Upstream>();
const KEY = 'the-clients-key';

beforeAll(async () => {
  gateway = await startGateway();
  for (const { name, provider, model, auth, options } of VENDORS) {
    const upstream = startUpstream();
    upstreams.set(name, upstream);
    const config = { route_type: 'llm/v1/chat', auth, model: { provider, name: model, options: options(upstream.url) } };
    const route = await gateway.request('POST', '/routes', { name, paths: [`/${name}`] });
    const plugin = await gateway.request('POST', `/routes/${name}/plugins`, { name: 'ai-proxy', config });
    expect([route.status, plugin.status, plugin.body]).toEqual([201, 201, expect.objectContaining({ name: 'ai-proxy' })]);
  }
});
afterAll(async () => {
  await gateway.stop();
  for (const upstream of upstreams.values()) upstream.stop();
});

const QUESTION = 'How warm is it in Paris, and how warm in Rome?';
// Of nine letters and digits: of ids for calls, Mistral takes no others.
const PARIS_CALL = 'callParis';
const ROME_CALL = 'callRome1';
const PARIS = { city: 'Paris' };
const ROME = { city: 'Rome' };
const warmthOf = (city: string) => (city === 'Paris' ? '21 degrees' : '30 degrees');
const ANSWER = 'Paris has 21 degrees, Rome has 30.';
const asksFor = (id: string, input: object): Said => ({ calls: [{ id, name: 'warmth', input }] });
const ROUNDS: readonly [Said, Said, Said] = [asksFor(PARIS_CALL, PARIS), asksFor(ROME_CALL, ROME), { text: ANSWER }];
const city = z.object({ city: z.string() });
const person = z.object({ name: z.string(), age: z.number() });
const ADA = { name: 'Ada', age: 36 };
const WORDS = { name: 'warmth', description: 'How warm a city is' };

describe.each(VENDORS.map(vendor => [vendor.name, vendor] as const))('%s', (name, vendor) => {
  const { model, takesSchemas = true } = vendor;
  let seen = 0;
  /** What it gets from here on is what the test looks at. */
  const upstream = () => {
    const found = upstreams.get(name) as Upstream;
    seen = found.requests.length;
    return found;
  };
  const says = (...said: readonly Said[]) => script(upstream(), vendor, ...said);
  const requests = () => upstreams.get(name)?.requests.slice(seen) ?? [];
  const baseURL = () => `${gateway.proxy}/${name}`;

  /** Each call of a tool came back to the vendor as it had said it, and with its result. */
  const expectRounds = () => {
    const [, second, third] = requests().map(request => request.text());
    expect(requests().length).toBe(3);
    const paris = [...vendor.kept(PARIS_CALL), '21 degrees'];
    for (const kept of paris) expect(second).toContain(kept);
    for (const kept of [...paris, ...vendor.kept(ROME_CALL), '30 degrees']) expect(third).toContain(kept);
  };

  afterEach(() => {
    const [header, value] = vendor.paidBy;
    for (const request of requests()) {
      expect(request.header(header)).toMatch(value);
      expect(request.headers.flat().join()).not.toContain(KEY);
    }
  });

  describe('with openai', () => {
    const client = () => new OpenAI({ apiKey: KEY, baseURL: baseURL(), maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: QUESTION }];

    test('create', async () => {
      says({ text: ANSWER });
      const { choices, usage, object } = await client().chat.completions.create({ model, messages });
      expect(choices[0]).toMatchObject({ index: 0, message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' });
      expect(usage).toMatchObject({ prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 });
      expect(object).toBe('chat.completion');
    });

    test('stream', async () => {
      says({ text: ANSWER });
      const stream = await client().chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
      const chunks = await Array.fromAsync(stream);
      const choices = chunks.flatMap(chunk => chunk.choices);
      expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe(ANSWER);
      expect(choices.filter(({ delta }) => delta.content).length).toBeGreaterThan(1);
      expect(choices.flatMap(({ finish_reason }) => finish_reason ?? [])).toEqual(['stop']);
      expect(chunks.flatMap(({ usage }) => usage ?? [])).toEqual([expect.objectContaining({ prompt_tokens: 19, completion_tokens: 10 })]);
    });

    test('a stream that breaks off', async () => {
      breakOff(upstream(), vendor, { text: ANSWER });
      const read = async () => Array.fromAsync(await client().chat.completions.create({ model, messages, stream: true }));
      expect(await read().catch((thrown: unknown) => thrown)).toBeInstanceOf(Error);
    });

    test('a vendor that wants to be asked later', async () => {
      upstream().answer({
        status: 429,
        headers: { 'content-type': 'application/json', 'retry-after': '17' },
        body: '{"message":"slow down"}',
      });
      const thrown = await client()
        .chat.completions.create({ model, messages })
        .catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(OpenAI.RateLimitError);
      expect((thrown as InstanceType<typeof OpenAI.RateLimitError>).headers.get('retry-after')).toBe('17');
    });

    const runTools = (stream: boolean) => {
      const warmth = {
        type: 'function' as const,
        function: {
          ...WORDS,
          parameters: z.toJSONSchema(city) as Record<string, unknown>,
          parse: (text: string) => city.parse(JSON.parse(text)),
          function: ({ city }: { city: string }) => warmthOf(city),
        },
      };
      const { completions } = client().chat;
      const asked = { model, messages, tools: [warmth] };
      const runner = stream ? completions.runTools({ ...asked, stream }) : completions.runTools(asked);
      return runner.finalContent();
    };

    describe.each([
      ['whole answers', false],
      ['streams', true],
    ])('runTools in %s', (_, stream) => {
      test('in two rounds', async () => {
        says(...ROUNDS);
        expect(await runTools(stream)).toBe(ANSWER);
        expectRounds();
      });

      test('with two calls at once', async () => {
        const calls = [ROUNDS[0], ROUNDS[1]].flatMap(round => round.calls ?? []);
        says({ calls }, { text: ANSWER });
        expect(await runTools(stream)).toBe(ANSWER);
        const [, second = ''] = requests().map(request => request.text());
        expect(requests().length).toBe(2);
        for (const kept of [...vendor.kept(PARIS_CALL), ...vendor.kept(ROME_CALL)]) expect(second).toContain(kept);
        expect(second.indexOf('21 degrees')).toBeGreaterThan(0);
        expect(second.indexOf('30 degrees')).toBeGreaterThan(second.indexOf('21 degrees'));
      });
    });

    const parse = async () => client().chat.completions.parse({ model, messages, response_format: zodResponseFormat(person, 'person') });

    if (takesSchemas) {
      test('parse by a schema', async () => {
        says({ text: JSON.stringify(ADA) });
        expect((await parse()).choices[0]?.message.parsed).toEqual(ADA);
        expect(requests()[0]?.text()).toMatch(/schema/i);
      });
    } else {
      test('a schema is refused, not dropped', async () => {
        says({ text: JSON.stringify(ADA) });
        await expect(parse()).rejects.toThrow(/^400 .*'response_format' of type 'json_schema'/);
        expect(requests()).toEqual([]);
      });
    }
  });

  describe('with the AI SDK', () => {
    const provider = (supportsStructuredOutputs = true) =>
      createOpenAICompatible({ name: 'sluice', apiKey: KEY, baseURL: baseURL(), supportsStructuredOutputs, includeUsage: true });

    test('streamText with tools', async () => {
      says(...ROUNDS);
      const warmth = tool({ description: WORDS.description, inputSchema: city, execute: ({ city }) => warmthOf(city) });
      const { textStream, totalUsage, steps } = streamText({
        model: provider()(model),
        prompt: QUESTION,
        tools: { warmth },
        stopWhen: stepCountIs(4),
        maxRetries: 0,
      });
      expect((await Array.fromAsync(textStream)).join('')).toBe(ANSWER);
      expect((await steps).flatMap(step => step.toolCalls.map(({ input }) => input))).toEqual([PARIS, ROME]);
      expect(await totalUsage).toMatchObject({ inputTokens: 57, outputTokens: 30 });
      expectRounds();
    });

    test(takesSchemas ? 'generateObject' : 'generateObject without a schema that binds', async () => {
      says({ text: JSON.stringify(ADA) });
      const bound = provider(takesSchemas)(model);
      const { object, usage } = await generateObject({ model: bound, schema: person, prompt: 'Who?', maxRetries: 0 });
      expect(object).toEqual(ADA);
      expect(usage).toMatchObject({ inputTokens: 19, outputTokens: 10 });
    });
  });

  describe('with LangChain', () => {
    const chat = () => new ChatOpenAI({ model, apiKey: KEY, configuration: { baseURL: baseURL() }, maxRetries: 0 });

    test('invoke', async () => {
      says({ text: ANSWER });
      const message = await chat().invoke(QUESTION);
      expect([message.content, message.usage_metadata]).toEqual([
        ANSWER,
        expect.objectContaining({ input_tokens: 19, output_tokens: 10, total_tokens: 29 }),
      ]);
    });

    test('stream', async () => {
      says({ text: ANSWER });
      const chunks = await Array.fromAsync(await chat().stream(QUESTION));
      expect(chunks.map(({ content }) => content).join('')).toBe(ANSWER);
    });

    test('bindTools', async () => {
      says(...ROUNDS);
      const warmth = langchainTool(({ city }: { city: string }) => warmthOf(city), { ...WORDS, schema: city });
      const bound = chat().bindTools([warmth]);
      const first = await bound.invoke(QUESTION);
      expect(first.tool_calls).toMatchObject([{ name: 'warmth', args: PARIS }]);
      const asked = [{ role: 'user' as const, content: QUESTION }, first, await warmth.invoke(first.tool_calls?.[0] as never)];
      const second = await bound.invoke(asked);
      const last = await bound.invoke([...asked, second, await warmth.invoke(second.tool_calls?.[0] as never)]);
      expect(last.content).toBe(ANSWER);
      expectRounds();
    });
  });
});
