import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { EVENTS, event, named, type Vendor } from '../support/vendors/vendor.ts';
import { script, VENDORS } from '../support/vendors.ts';

// What a picture of 20 MB and an event of 10 MB cost the executable. The figures are printed: memory is held against a bound, time is not.

setDefaultTimeout(60_000);

const MEGABYTE = 1024 * 1024;
const SIZE = 20 * MEGABYTE;
/** The text as it came and the one that is sent, and what else a process takes the first time. */
const MOST_TIMES = 2.25;

const CLASSES = ['openai', 'anthropic', 'gemini', 'bedrock', 'cohere', 'mistral', 'ollama'];
const vendors = VENDORS.filter(({ name }) => CLASSES.includes(name));

async function open(vendor: Vendor, upstream: Upstream): Promise<RunningGateway> {
  const { name, provider, model, auth, options } = vendor;
  const gateway = await startGateway({ environment: { SLUICE_WORKERS: '1' } });
  await gateway.request('POST', '/routes', { name, paths: ['/'] });
  const config = {
    route_type: 'llm/v1/chat',
    auth,
    model: { provider, name: model, options: options(upstream.url) },
    max_request_body_size: 0,
  };
  expect((await gateway.request('POST', `/routes/${name}/plugins`, { name: 'ai-proxy', config })).status).toBe(201);
  return gateway;
}

const ask = (gateway: RunningGateway, body: object) =>
  fetch(gateway.proxy, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const megabytes = (pid: number, field: 'VmRSS' | 'VmHWM') =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe.each(vendors.map(vendor => [vendor.name, vendor] as const))('a picture of 20 MB in base64 for %s', (name, vendor) => {
  test.each([
    ['English', 'What is this?'],
    ['Chinese', '这是什么？'],
  ])(`takes no more than ${MOST_TIMES} times its size, asked about in %s`, async (language, text) => {
    const upstream = startUpstream();
    await using gateway = await open(vendor, upstream);
    script(upstream, vendor, { text: 'A dog.' });
    const small = { messages: [{ role: 'user', content: text }] };
    for (let warm = 0; warm < 20; warm += 1) await (await ask(gateway, small)).text();

    const base64 = 'QUJD'.repeat(SIZE / 4);
    const image_url = { url: `data:image/png;base64,${base64}` };
    const content = [
      { type: 'text', text },
      { type: 'image_url', image_url },
    ];
    // The kernel's mark of the most there was starts anew.
    writeFileSync(`/proc/${gateway.pid}/clear_refs`, '5');
    const before = megabytes(gateway.pid, 'VmRSS');
    const response = await ask(gateway, { messages: [{ role: 'user', content }] });
    const most = megabytes(gateway.pid, 'VmHWM');
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'A dog.' } }] });
    const sent = upstream.requests.at(-1)?.text() ?? '';
    expect([sent.includes(base64), JSON.stringify(JSON.parse(sent)).includes(text)]).toEqual([true, true]);

    const times = ((most - before) * MEGABYTE) / SIZE;
    console.log(`${name}, ${language}: ${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most: ${times.toFixed(2)} times the body`);
    expect(times).toBeLessThan(MOST_TIMES);
    upstream.stop();
  });
});

describe.each(vendors.map(vendor => [vendor.name, vendor] as const))('a chat of many kilobytes for %s', (name, vendor) => {
  const code = 'if (said === "C:\\\\dir")\n\treturn `语 🙂`;\n'.repeat(800);
  const content = JSON.stringify({
    messages: [
      { role: 'system', content: 'Review.' },
      { role: 'user', content: code },
    ],
  });

  test('says to the vendor what the client said, and nothing of one that is no JSON', async () => {
    const upstream = startUpstream();
    await using gateway = await open(vendor, upstream);
    script(upstream, vendor, { text: 'Good.' });
    const post = (body: string) => fetch(gateway.proxy, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

    expect(await (await post(content)).json()).toMatchObject({ choices: [{ message: { content: 'Good.' } }] });
    const sent = upstream.requests.at(-1)?.text() ?? '';
    expect(sent).toContain(JSON.stringify(code));
    const asked = upstream.requests.length;
    for (const wrong of [content.replace('\\n', '\\x'), content.replace('\\n', '\n'), content.slice(0, -1), content.replace('[{', '[{,')]) {
      const refused = await post(wrong);
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('bad JSON formatting')]);
    }
    expect(upstream.requests.length).toBe(asked);
    const complete = content.replace('{', `{ "model" : "${vendor.model}", `);
    await post(complete);
    if (name === 'openai') expect(upstream.requests.at(-1)?.text()).toBe(complete);
    upstream.stop();
  });
});

describe('an event of megabytes in a stream', () => {
  const streams: Readonly<Record<string, (text: string) => string[]>> = {
    openai: text => {
      const chunk = (delta: object, finish_reason: string | null = null) =>
        event({ id: 'a', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] });
      return [chunk({ role: 'assistant', content: text }), chunk({}, 'stop'), 'data: [DONE]\n\n'];
    },
    anthropic: text => [
      named({ type: 'message_start', message: { id: 'a', model: 'm', content: [], usage: { input_tokens: 1, output_tokens: 1 } } }),
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
      named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }),
      named({ type: 'message_stop' }),
    ],
    gemini: text => [event({ candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }] })],
  };
  let upstream: Upstream;
  beforeAll(() => {
    upstream = startUpstream();
  });
  afterAll(() => upstream.stop());

  test.each(Object.entries(streams))('is whole from %s', async (name, streamOf) => {
    const vendor = VENDORS.find(each => each.name === name) as Vendor;
    await using gateway = await open(vendor, upstream);
    const times: string[] = [];
    for (const size of [1, 1, 5, 10]) {
      const text = 'x'.repeat(size * MEGABYTE);
      upstream.answer({ headers: { 'content-type': EVENTS }, chunks: streamOf(text) });
      const started = performance.now();
      const said = await (await ask(gateway, { stream: true, messages: [{ role: 'user', content: 'hi' }] })).text();
      times.push(`${size} MB ${(performance.now() - started).toFixed(0)} ms`);
      expect([said.includes(text), said.endsWith('data: [DONE]\n\n')]).toEqual([true, true]);
    }
    console.log(`${name}: an event of ${times.slice(1).join(', of ')}`);
  });
});
