import type { Usage } from '../../chat/chat.ts';
import { ConfigurationError } from '../../lib/configuration-error.ts';
import type { ModelConfig } from './config.ts';
import { minutesOf, tokensOf } from './price-units.ts';

const MILLION = 1_000_000;

/** What a price depends on beside the tokens. */
export interface Priced {
  readonly usage: Usage;
  /** What the vendor says it served the request with. */
  readonly serviceTier: string | null;
}

/** What an exchange cost, in the currency of the configured prices; undefined when a price for its tokens is missing. */
export type Cost = (priced: Priced) => number | undefined;

/**
 * The cost of an exchange as Kong computes it: https://developer.konghq.com/ai-gateway/model-cost-management/
 * With `input_cost` and `output_cost` alone that is Kong 3.9's. Tokens of a cache that has no price of its own are input.
 */
export function compileCost(options: ModelConfig['options']): Cost {
  const { input_cost = null, output_cost = null, cache_read_cost = null, cache_write_cost = null } = options ?? {};
  const { cache_write_cost_list: byTtl, context_window_factor: windows, service_tier_factor: tiers } = options ?? {};
  if (input_cost === null) {
    const idle = Object.entries({ cache_read_cost, cache_write_cost, cache_write_cost_list: byTtl }).find(
      ([, price]) => price != null,
    )?.[0];
    if (idle !== undefined) throw new ConfigurationError('needs input_cost as well', `model.options.${idle}`);
  }
  const ttlPrices = new Map((byTtl ?? []).map(({ ttl, cost }) => [minutesOf(ttl), cost]));
  const largestFirst = (windows ?? []).map(window => ({ ...window, above: tokensOf(window.above) })).sort((a, b) => b.above - a.above);
  const longestFirst = (tiers ?? []).map(({ tier, factor }) => ({ tier: tier.toLowerCase(), factor }));
  longestFirst.sort((a, b) => b.tier.length - a.tier.length);

  return ({ usage, serviceTier }) => {
    const { prompt_tokens, completion_tokens = 0 } = usage;
    if ((prompt_tokens > 0 && input_cost === null) || (completion_tokens > 0 && output_cost === null)) return undefined;
    if (input_cost === null && output_cost === null) return undefined;

    const window = largestFirst.find(({ above }) => prompt_tokens > above);
    const input = inputCost(usage, input_cost ?? 0) * (window?.input_factor ?? 1);
    const output = completion_tokens * (output_cost ?? 0) * (window?.output_factor ?? 1);
    return ((input + output) * tierFactor(serviceTier)) / MILLION;
  };

  function inputCost({ prompt_tokens, prompt_tokens_details: details = {} }: Usage, price: number): number {
    const { cached_tokens = 0, cache_write_tokens = 0, cache_write_tokens_details = {} } = details;
    const writePrice = cache_write_cost ?? price;
    let told = 0;
    let writes = 0;
    for (const [ttl, tokens] of Object.entries(cache_write_tokens_details)) {
      told += tokens;
      writes += tokens * (ttlPrices.get(minutesOf(ttl)) ?? writePrice);
    }
    writes += Math.max(0, cache_write_tokens - told) * writePrice;
    const rest = Math.max(0, prompt_tokens - cached_tokens - Math.max(told, cache_write_tokens));
    return rest * price + cached_tokens * (cache_read_cost ?? price) + writes;
  }

  function tierFactor(tier: string | null): number {
    const name = tier?.toLowerCase();
    return longestFirst.find(entry => name?.includes(entry.tier))?.factor ?? 1;
  }
}
