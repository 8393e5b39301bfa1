import { isHeaderName } from '../../lib/header-syntax.ts';

/** The headers that a name stands for, as Kong finds them: in lower case, and with dashes for underscores. What can be no header stands for none. */
export function headerNamesOf(name: string): readonly string[] {
  const lower = name.toLowerCase();
  return isHeaderName(name) ? [...new Set([lower, lower.replaceAll('_', '-')])] : [];
}
