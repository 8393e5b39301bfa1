/**
 * The version in a model's name: 405 of `claude-opus-4-5-20251101`, 307 of `claude-3-7-sonnet-latest`.
 * Infinity for a name without one: the newest models have to be told in the newest way.
 */
function versionOf(model: string): number {
  const [, major, minor = '0'] = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/.exec(model) ?? [];
  return major === undefined ? Number.POSITIVE_INFINITY : Number(major) * 100 + Number(minor);
}

/** https://platform.claude.com/docs/en/build-with-claude/structured-outputs */
export const hasStructuredOutputs = (model: string): boolean => versionOf(model) >= 405;

/** Models before take a budget, those after no longer do: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking */
export const thinksAdaptively = (model: string): boolean => versionOf(model) >= 406;

/** https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking */
export const thinksUnlessTold = (model: string): boolean => versionOf(model) >= 500;
