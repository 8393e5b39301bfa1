export interface Random {
  /** A whole number from 0, below `limit`. */
  below(limit: number): number;
  pick<T>(values: readonly T[]): T;
}

/** The same sequence for the same seed: a failure can be looked at again. */
export function randomOf(seed: number): Random {
  let state = seed;
  const below = (limit: number) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
  return { below, pick: values => values[below(values.length)] as (typeof values)[number] };
}
