// What prices depend on, as Kong writes it: https://developer.konghq.com/ai-gateway/model-cost-management/

const MINUTES = { m: 1, h: 60 };
const TOKENS = { k: 1000, m: 1_000_000 };

/** How long a cache keeps what was written: `5m`, `1h`. NaN for what is none. */
export const minutesOf = (ttl: string) => measured(ttl, MINUTES);
/** How much a model has to read: `200k`, `1m`. NaN for what is none. */
export const tokensOf = (above: string) => measured(above, TOKENS);

export const ttlError = (ttl: string) => (Number.isNaN(minutesOf(ttl)) ? 'must be a number and a unit, h or m' : undefined);
export const aboveError = (above: string) => (Number.isNaN(tokensOf(above)) ? 'must be a number and a unit, k or m' : undefined);

function measured(text: string, units: Readonly<Record<string, number>>): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([a-z])$/.exec(text.trim().toLowerCase()) ?? [];
  return Number(number) * (units[unit ?? ''] ?? Number.NaN);
}
