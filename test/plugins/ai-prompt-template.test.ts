import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { OPENAI } from '../support/ai-exchange.ts';
import { aiProxyTo, destinations, refusedWith, send, template } from '../support/prompts.ts';
import { startUpstream } from '../support/upstream.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
afterEach(() => upstream.answer({ body: 'ok' }));

const templates = [
  { name: 'explain', template: '{"messages":[{"role":"user","content":"Explain {{thing}} to {{who}}, {{thing}} alone."}]}' },
  { name: 'story', template: '{"prompt": "Once upon a {{time}}",\n "temperature": {{heat}} }' },
  { name: 'stream', template: '{"stream":true,"messages":[{"role":"user","content":"{{thing}}"}]}' },
  { name: 'plain', template: '{"messages":[{"role":"user","content":"Good morning"}]}' },
];
const chat = (name: string, properties?: unknown) => JSON.stringify({ messages: `{template://${name}}`, properties });
const completion = (name: string, properties?: unknown) => JSON.stringify({ prompt: `{template://${name}}`, properties });
const contentOf = (sent: string | undefined) => JSON.parse(sent ?? '').messages[0].content;

describe('what is sent in place of a request that names a template', () => {
  test.each<[string, string, string]>([
    [
      'every place of a variable is filled',
      chat('explain', { thing: 'gravity', who: 'a child' }),
      '{"messages":[{"role":"user","content":"Explain gravity to a child, gravity alone."}]}',
    ],
    [
      'a prompt is filled, and a number where one stands',
      completion('story', { time: 'time', heat: '0.5' }),
      '{"prompt": "Once upon a time",\n "temperature": 0.5 }',
    ],
    ['a prompt may name a template of a chat', completion('plain'), '{"messages":[{"role":"user","content":"Good morning"}]}'],
    [
      'properties that no variable asks for are left out',
      chat('plain', { spare: 'x' }),
      '{"messages":[{"role":"user","content":"Good morning"}]}',
    ],
    [
      'nothing else of the client’s request stays',
      JSON.stringify({ model: 'o1', messages: '{template://plain}', stream: true }),
      '{"messages":[{"role":"user","content":"Good morning"}]}',
    ],
  ])('%s', async (_, body, expected) => {
    expect(await send(upstream, [template({ templates })], body)).toMatchObject({ status: 200, sent: expected });
  });

  test.each([
    '"}],"model":"o1","x":[{"y":"',
    '\\',
    '\\"',
    'line\nend\u2028\u0000\t',
    '{{who}}',
    '{template://plain}',
    '$& $1 $`',
    '\ud800',
    '日本 🙂',
  ])('the value %j stays within its string', async thing => {
    const { sent } = await send(upstream, [template({ templates })], chat('explain', { thing, who: 'a' }));
    expect(JSON.parse(sent ?? '')).toEqual({ messages: [{ role: 'user', content: expect.any(String) }] });
    expect(contentOf(sent)).toBe(`Explain ${thing} to a, ${thing} alone.`);
  });

  test.each(['0', '-1.5e3', 'true', 'null'])('the value %s stands for itself', async heat => {
    const { sent } = await send(upstream, [template({ templates })], completion('story', { time: '', heat }));
    expect(JSON.parse(sent ?? '').temperature).toBe(JSON.parse(heat));
  });

  test('line ends in the strings of a template are escaped', async () => {
    const written = [{ name: 'lines', template: '{\n "messages": [{"role":"user","content":"one\n\ttwo \\" {{x}}\nthree"}]}' }];
    const { sent } = await send(upstream, [template({ templates: written })], chat('lines', { x: '2' }));
    expect(contentOf(sent)).toBe('one\n\ttwo " 2\nthree');
  });

  test('of templates with the same name the first counts', async () => {
    const twice = [...templates, { name: 'plain', template: '{"messages":[]}' }];
    expect(contentOf((await send(upstream, [template({ templates: twice })], chat('plain'))).sent)).toBe('Good morning');
  });
});

describe('what is refused', () => {
  const ONLY_JSON = 'this LLM route only supports application/json requests';
  const FORMATS = "only 'llm/v1/chat' and 'llm/v1/completions' formats are supported for templating";
  test.each<[string, string, string]>([
    ['a template nobody knows', chat('nothing'), 'could not find template name [nothing]'],
    ['the name of what every object of JavaScript has', chat('constructor'), 'could not find template name [constructor]'],
    ['a missing variable', chat('explain', { thing: 'x' }), 'missing template parameters: [who]'],
    ['missing variables, each once', chat('explain'), 'missing template parameters: [thing], [who]'],
    ['a number', chat('explain', { thing: 1, who: 'x' }), 'property values must be a string, got number'],
    ['a boolean', chat('explain', { thing: true, who: 'x' }), 'property values must be a string, got boolean'],
    ['a null', chat('explain', { thing: null, who: 'x' }), 'property values must be a string, got userdata'],
    ['an object', chat('explain', { thing: {}, who: 'x' }), 'property values must be a string, got table'],
    ['properties that are none', chat('explain', 'x'), 'properties must be an object'],
    ['properties in an array', chat('explain', ['x']), 'properties must be an object'],
    [
      'text where a number stands',
      completion('story', { time: 'x', heat: '1,"n":2' }),
      'template parameter [heat] must be a number, true, false or null',
    ],
    [
      'an array where a number stands',
      completion('story', { time: 'x', heat: '[1]' }),
      'template parameter [heat] must be a number, true, false or null',
    ],
    [
      'messages and a prompt',
      '{"messages":"{template://plain}","prompt":"x"}',
      "cannot run 'messages' and 'prompt' templates at the same time",
    ],
    ['neither messages nor a prompt', '{"input":"x"}', FORMATS],
    ['an array', '[]', FORMATS],
    ['JSON that does not parse', '{"messages":', ONLY_JSON],
    ['an empty body', '', ONLY_JSON],
    ['a text', '"{template://plain}"', ONLY_JSON],
  ])('%s', async (_, body, message) => {
    expect(await send(upstream, [template({ templates })], body)).toMatchObject(refusedWith(message));
  });

  test('a body of another type', async () => {
    const { status, text, sent } = await send(upstream, [template({ templates })], chat('plain'), {
      headers: { 'content-type': 'text/plain' },
    });
    expect({ status, text, sent }).toEqual(refusedWith(ONLY_JSON));
  });
});

describe('allow_untemplated_requests', () => {
  const untemplated = [
    '{ "messages": [{"role":"user","content":"{template://plain}"}], "n": 1e0 }',
    '{"prompt":"{template://plain} please"}',
  ];
  test.each(untemplated)('lets %s pass as it is, unless it is off', async body => {
    expect(await send(upstream, [template({ templates })], body)).toMatchObject({ status: 200, sent: body });
    const only = template({ templates, allow_untemplated_requests: false });
    expect(await send(upstream, [only], body)).toMatchObject(refusedWith('this LLM route only supports templated requests'));
    expect(await send(upstream, [only], chat('plain'))).toMatchObject({ status: 200 });
  });
});

describe('log_original_request', () => {
  const body = chat('explain', { thing: 'x', who: 'y' });
  test('logs the body as the client sent it, beside what ai-proxy logs', async () => {
    upstream.answer({ body: '{"model":"gpt-4","choices":[]}', headers: { 'content-type': 'application/json' } });
    const proxy = aiProxyTo(upstream, OPENAI, { logging: { log_statistics: true } });
    const { log } = await send(upstream, [template({ templates, log_original_request: true }), proxy], body);
    expect(log).toMatchObject({ ai: { payload: { original_request: body }, proxy: { meta: { provider_name: 'openai' } } } });
  });

  test('logs requests that are refused', async () => {
    const { log } = await send(upstream, [template({ templates, log_original_request: true })], '{');
    expect(log).toEqual({ ai: { payload: { original_request: '{' } } });
  });

  test('logs nothing unless it is on', async () => {
    expect((await send(upstream, [template({ templates })], body)).log).toEqual({});
  });
});

describe('max_request_body_size', () => {
  const body = chat('explain', { thing: 'x'.repeat(500), who: 'y' });
  test.each([
    [100, 413],
    [1000, 200],
    [0, 200],
  ])('of %i', async (max_request_body_size, status) => {
    for (const [sent, headers] of [
      [body, {}],
      [gzipSync(body), { 'content-encoding': 'gzip' }],
    ] as const) {
      const plugin = template({ templates, max_request_body_size });
      const answer = await send(upstream, [plugin], sent, { headers: { 'content-type': 'application/json', ...headers } });
      expect(answer.status).toBe(status);
      if (status === 413) expect(answer).toMatchObject(refusedWith('Payload too large', 413));
      else expect(contentOf(answer.sent)).toStartWith('Explain xxx');
    }
  });
});

describe('together with', () => {
  test.each(destinations(upstream))('%s', async (_, proxy, answer, streaming) => {
    upstream.answer(answer);
    const { status, text, arrived } = await send(
      upstream,
      [template({ templates }), proxy],
      chat(streaming ? 'stream' : 'explain', { thing: 'x"', who: 'y' }),
    );
    expect(status).toBe(200);
    expect(text).toContain(streaming ? '[DONE]' : '"2"');
    expect(arrived?.header('content-encoding')).toBeUndefined();
    expect(contentOf(arrived?.text())).toBe(streaming ? 'x"' : 'Explain x" to y, x" alone.');
  });
});

test('together with ai-proxy, completions', async () => {
  upstream.answer({ body: JSON.stringify({ choices: [{ index: 0, text: '2' }] }), headers: { 'content-type': 'application/json' } });
  const proxy = aiProxyTo(upstream, OPENAI, { route_type: 'llm/v1/completions' });
  const { status, sent } = await send(upstream, [template({ templates }), proxy], completion('story', { time: 'time', heat: '1' }));
  expect(status).toBe(200);
  expect(JSON.parse(sent ?? '')).toEqual({ prompt: 'Once upon a time', temperature: 1, model: 'gpt-4' });
});

describe('a configuration that cannot work', () => {
  const IMPOSSIBLE = 'template [bad]: not a JSON object whose variables stand in strings or for values';
  test.each([
    'Explain {{thing}}',
    '{"messages":',
    '["{{x}}"]',
    '{"messages":[{"content":"\\{{x}}"}]}',
    '{"messages":[{"content":"\\u00{{x}}"}]}',
    '{"n":1{{x}}}',
    '{"n":{{x}}{{y}}}',
    '{{{x}}:1}',
  ])('%s', text => {
    expect(() => template({ templates: [{ name: 'bad', template: text }] })).toThrow(IMPOSSIBLE);
  });
});
