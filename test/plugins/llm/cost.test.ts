import { describe, expect, test } from 'bun:test';
import type { Usage } from '../../../src/chat/chat.ts';
import type { ModelConfig } from '../../../src/plugins/llm/config.ts';
import { compileCost } from '../../../src/plugins/llm/cost.ts';

type Options = Partial<NonNullable<ModelConfig['options']>>;
const costOf = (options: Options, usage: Partial<Usage>, serviceTier: string | null = null) =>
  compileCost(options as ModelConfig['options'])({
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, ...usage },
    serviceTier,
  });

/** The example of Kong's page, cached tokens being a part of the prompt's. */
const PRICES: Options = {
  input_cost: 4,
  output_cost: 24,
  cache_read_cost: 0.4,
  cache_write_cost: 5,
  cache_write_cost_list: [
    { ttl: '5m', cost: 5 },
    { ttl: '1h', cost: 8 },
  ],
  context_window_factor: [
    { above: '200k', input_factor: 2, output_factor: 1.5 },
    { above: '1M', input_factor: 3, output_factor: 2 },
  ],
  service_tier_factor: [
    { tier: 'Priority', factor: 2 },
    { tier: 'flex', factor: 0.5 },
    { tier: 'priority-fast', factor: 4 },
  ],
};
const million = (cost: number) => cost / 1_000_000;

describe('an exchange costs', () => {
  const cached = { cached_tokens: 400, cache_write_tokens: 100 };

  test.each<[string, Options, Partial<Usage>, string | null, number | undefined]>([
    ['its two prices', { input_cost: 4, output_cost: 24 }, { prompt_tokens: 10, completion_tokens: 3 }, null, million(10 * 4 + 3 * 24)],
    [
      'the same for cached tokens without a price',
      { input_cost: 4, output_cost: 24 },
      { prompt_tokens: 1000, prompt_tokens_details: cached },
      null,
      million(1000 * 4),
    ],
    ['nothing that is known without prices', {}, { prompt_tokens: 10 }, null, undefined],
    ['nothing that is known when a price is missing', { input_cost: 4 }, { prompt_tokens: 10, completion_tokens: 1 }, null, undefined],
    ['its input when there is no output', { input_cost: 4 }, { prompt_tokens: 10 }, null, million(40)],
    [
      'less for what a cache had, and more for what is put there',
      PRICES,
      { prompt_tokens: 1000, prompt_tokens_details: cached },
      null,
      million(500 * 4 + 400 * 0.4 + 100 * 5),
    ],
    [
      'what the time to live costs',
      PRICES,
      { prompt_tokens: 1000, prompt_tokens_details: { ...cached, cache_write_tokens_details: { '60m': 60, '1d': 10, '5m': 20 } } },
      null,
      million(500 * 4 + 400 * 0.4 + 60 * 8 + 10 * 5 + 20 * 5 + 10 * 5),
    ],
    ['the lower price at the threshold', PRICES, { prompt_tokens: 200_000, completion_tokens: 10 }, null, million(200_000 * 4 + 240)],
    [
      'the factors of the highest threshold that is crossed',
      PRICES,
      { prompt_tokens: 200_001, completion_tokens: 10 },
      null,
      million(200_001 * 8 + 360),
    ],
    ['the factors above all', PRICES, { prompt_tokens: 2_000_000, completion_tokens: 10 }, null, million(2_000_000 * 12 + 480)],
    [
      'the factor of its tier, cache included',
      PRICES,
      { prompt_tokens: 1000, prompt_tokens_details: cached },
      'PRIORITY',
      million(2660 * 2),
    ],
    ['the factor of the longest tier that fits', PRICES, { prompt_tokens: 1000 }, 'on_demand_priority-fast', million(16_000)],
    ['no factor of a tier without one', PRICES, { prompt_tokens: 1000 }, 'default', million(4000)],
  ])('%s', (_, options, usage, tier, expected) => {
    const cost = costOf(options, usage, tier);
    if (expected === undefined) expect(cost).toBeUndefined();
    else expect(cost).toBeCloseTo(expected, 12);
  });

  test('more than any price says when its usage does not add up, and never less than nothing', () => {
    expect(costOf(PRICES, { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 50 } })).toBeCloseTo(million(50 * 0.4), 12);
  });
});

test.each(['cache_read_cost', 'cache_write_cost'])('%s without input_cost is refused', field => {
  expect(() => costOf({ [field]: 1 }, {})).toThrow('needs input_cost as well');
});
