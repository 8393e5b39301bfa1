import type { Consumer } from '../../entities/consumer.ts';
import type { Row } from '../../entities/entity.ts';
import { headerText } from '../../lib/header-syntax.ts';
import type { Context } from '../context.ts';

/** What only the gateway says to an upstream. Source: kong/constants.lua of Kong 3.9. */
interface ConsumerHeaders {
  'x-consumer-id'?: string;
  'x-consumer-custom-id'?: string;
  'x-consumer-username'?: string;
  'x-credential-identifier'?: string;
  'x-anonymous-consumer'?: string;
  'x-consumer-groups'?: string;
  'x-authenticated-groups'?: string;
}
const NAMES = [
  'x-consumer-id',
  'x-consumer-custom-id',
  'x-consumer-username',
  'x-credential-identifier',
  'x-anonymous-consumer',
  'x-consumer-groups',
  'x-authenticated-groups',
] as const satisfies readonly (keyof ConsumerHeaders)[];

/** From here on the request is the consumer's, for plugins and for the upstream. Without a credential the consumer is an anonymous one. */
export function identify(context: Context, consumer: Consumer, credential: Row | null, identifier: string | null): void {
  context.consumer = consumer;
  context.credential = credential;
  forgetClaims(context);
  const headers: ConsumerHeaders = context.upstream.headers;
  headers['x-consumer-id'] = consumer.id;
  if (consumer.custom_id !== null) headers['x-consumer-custom-id'] = headerText(consumer.custom_id);
  if (consumer.username !== null) headers['x-consumer-username'] = headerText(consumer.username);
  if (identifier !== null) headers['x-credential-identifier'] = headerText(identifier);
  if (credential === null) headers['x-anonymous-consumer'] = 'true';
}

/** What a client says of itself in these headers does not reach the upstream. */
export function forgetClaims({ upstream: { headers } }: Context): void {
  for (const name of NAMES) if (name in headers) delete headers[name];
}
