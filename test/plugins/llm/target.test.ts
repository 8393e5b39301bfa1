import { describe, expect, test } from 'bun:test';
import { ConfigurationError } from '../../../src/lib/configuration-error.ts';
import { compileTarget } from '../../../src/plugins/llm/target.ts';
import { type Config, chat, QUESTION, send } from '../../support/ai-exchange.ts';
import { answered } from '../../support/context.ts';

const asked = (headers: Record<string, string>) => answered(new Request('http://gateway.test/', { headers }));

describe('options with templates', () => {
  const options = { max_tokens: 5, azure_instance: '$(headers.instance)', bedrock: { aws_region: '$(headers.region)' } };

  test('are filled in by each request, and nothing else is', () => {
    const targetOf = compileTarget(options, filled => filled);
    expect(targetOf(asked({ instance: 'a', region: '$(headers.instance)' }))).toEqual({
      max_tokens: 5,
      azure_instance: 'a',
      bedrock: { aws_region: '$(headers.instance)' },
    });
    expect(options.azure_instance).toBe('$(headers.instance)');
  });

  test('are made once for each choice of values, and those made last are kept', () => {
    let made = 0;
    const targetOf = compileTarget(options, () => (made += 1));
    const ask = (instance: string) => targetOf(asked({ instance, region: 'r' }));
    expect([ask('a'), ask('b'), ask('a')]).toEqual([1, 2, 1]);
    for (let instance = 0; instance < 255; instance += 1) ask(`${instance}`);
    expect(made).toBe(257);
    // `b` was used longest ago.
    expect([ask('a'), ask('b')]).toEqual([1, 258]);
  });

  test('without templates are made when they are configured', () => {
    let made = 0;
    const targetOf = compileTarget({ max_tokens: 5 }, () => (made += 1));
    expect([made, targetOf(asked({})), targetOf(asked({}))]).toEqual([1, 1, 1]);
  });

  test.each<[Config, string]>([
    [{ upstream_url: 'http://$(headers.host)/' }, 'clients must not choose where their requests go'],
    [{ azure_instance: '$(cookies.a)' }, "source 'cookies' is not supported"],
    [{ bedrock: { aws_region: '$(headers)' } }, "cannot parse expression for field 'model.options.bedrock.aws_region'"],
  ])('%j is refused', (given, message) => {
    expect(() => compileTarget(given, filled => filled)).toThrow(message);
  });

  test('that a request fills in with what cannot work are the mistake of the client', () => {
    const targetOf = compileTarget(options, () => {
      throw new ConfigurationError('no such instance', 'model.options.azure_instance');
    });
    expect(() => targetOf(asked({ instance: 'a', region: 'b' }))).toThrow('model.options.azure_instance: no such instance');
    expect(() => targetOf(asked({ instance: 'a' }))).toThrow("'headers', key 'region' was not provided");
  });
});

describe('in a request', () => {
  const model = { provider: 'openai', name: '$(query_params.model)', options: { upstream_path: '/$(uri_captures.version)' } };

  test('the name and the path are what it says', async () => {
    const given = { query: '?model=gpt-4', captures: { version: 'v2/chat' } };
    const { context, sentJson } = await send(chat({ model }), QUESTION, given);
    expect(context.upstream.url).toStartWith('https://api.openai.com/v2/chat');
    expect(sentJson()).toMatchObject({ model: 'gpt-4' });
  });

  test('the path cannot lead to another host', async () => {
    const given = { query: '?model=gpt-4', captures: { version: '//elsewhere.test/' } };
    const { context } = await send(chat({ model }), QUESTION, given);
    expect(new URL(context.upstream.url ?? '').host).toBe('api.openai.com');
  });

  test.each([
    ['the alias', '"model":"house",', 'gpt-4'],
    ['nothing', '', 'gpt-4'],
    ['the model itself', '"model":"gpt-4",', 'gpt-4'],
  ])('a model with an alias is asked for by %s', async (_, member, expected) => {
    const config = chat({ model: { provider: 'openai', name: 'gpt-4', model_alias: 'house' } });
    const { sentJson } = await send(config, `{${member}"messages":[{"role":"user","content":"a"}]}`);
    expect(sentJson().model).toBe(expected);
  });

  test('an alias stands for a model that is named', async () => {
    const config = chat({ model: { provider: 'openai', model_alias: 'house' } });
    const { refused } = await send(config, '{"model":"house","messages":[{"role":"user","content":"a"}]}');
    expect(await refused?.json()).toMatchObject({
      error: { message: 'model parameter not found in request, nor in gateway configuration' },
    });
  });
});
