import { ConfigurationError } from '../lib/configuration-error.ts';
import { compilePcreSearch } from '../lib/regex.ts';

/** The patterns that a field lists. Throws a ConfigurationError for one that cannot be translated. */
export function compilePatterns(sources: readonly string[] | null, field: string): ((text: string) => boolean)[] {
  return (sources ?? []).map(source => {
    try {
      return compilePcreSearch(source);
    } catch (error) {
      throw new ConfigurationError((error as Error).message, field);
    }
  });
}
