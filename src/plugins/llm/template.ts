import { ConfigurationError } from '../../lib/configuration-error.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { ExchangeContext } from './exchange-context.ts';

/** A text that every request fills in for itself, or that is the same for all. */
export type Template = string | null | ((context: ExchangeContext) => string);

/**
 * Kong's `$(headers.name)`, `$(uri_captures.name)` and `$(query_params.name)`: where one stands, the whole text is
 * what the request says there.
 */
export function compileTemplate(text: string | null, field: string): Template {
  const expression = text === null ? undefined : /\$\((.*?)\)/.exec(text)?.[1];
  if (expression === undefined) return text;

  const [source, key, ...rest] = expression.split('.');
  if (key === undefined || rest.length > 0) throw new ConfigurationError(`cannot parse expression for field '${field}'`, field);
  const read = readerOf(source, key);
  if (read === undefined) throw new ConfigurationError(`source '${source}' is not supported`, field);

  return context => {
    const value = read(context);
    if (!value) throw new RequestFailure(400, `'${source}', key '${key}' was not provided`);
    return value;
  };
}

function readerOf(source: string | undefined, key: string): ((context: ExchangeContext) => string | null | undefined) | undefined {
  switch (source) {
    case 'headers':
      return ({ request }) => request.headers.get(key);
    case 'uri_captures':
      return ({ captures }) => captures?.[key];
    case 'query_params':
      return ({ url }) => url.searchParams.get(key);
    default:
      return undefined;
  }
}
