import type { Context } from '../context.ts';

/** What an exchange with a model knows of the request that it is for. */
export interface ExchangeContext
  extends Pick<Context, 'id' | 'method' | 'url' | 'path' | 'query' | 'captures' | 'credentialPlaces' | 'body' | 'upstream' | 'outcome'> {
  readonly request: Pick<Context['request'], 'headers'>;
}
