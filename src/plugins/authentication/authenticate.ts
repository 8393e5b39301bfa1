import { consumer } from '../../entities/consumer.ts';
import type { Reference, Row } from '../../entities/entity.ts';
import { ConfigurationError } from '../../lib/configuration-error.ts';
import { isHeaderValue, toHeader } from '../../lib/header-syntax.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { isUuid } from '../../lib/uuid.ts';
import type { Context, CredentialPlaces } from '../context.ts';
import type { Host, Phases } from '../plugin.ts';
import { forgetClaims, identify } from './consumer-headers.ts';

/** A row that a consumer proves its identity by. */
export interface Credential extends Row {
  readonly consumer: Reference;
}

/** The credential that a client has proved to have, or what it is answered. */
export type Verdict<C extends Credential> = C | RequestFailure | Response;

export interface Authentication<C extends Credential> {
  readonly places: CredentialPlaces;
  /** Id or name of the consumer that everybody is who has no credential. Null: nobody passes without. */
  readonly anonymous: string | null;
  /** Whether a browser that asks with OPTIONS what it may do has to have a credential. */
  readonly runOnPreflight: boolean;
  /** What the upstream is told of the credential. */
  identifier(credential: C): string | null;
  verify(context: Context): Verdict<C> | Promise<Verdict<C>>;
}

/**
 * What a plugin does that authenticates. Of several with an anonymous consumer one will do, and the later ones rest once
 * an earlier one knows the client; of several without all must agree, and the last one says whose the request is.
 */
export function compileAuthentication<C extends Credential>(host: Host, authentication: Authentication<C>): Phases {
  const { places, anonymous, runOnPreflight, identifier, verify } = authentication;
  const consumerById = host.lookup(consumer, 'id');
  const anonymousConsumer = findAnonymous(host, anonymous);

  return {
    credentialPlaces: places,
    access(context) {
      if (anonymous !== null && context.credential !== null) return undefined;
      if (!runOnPreflight && context.method === 'OPTIONS') {
        if (context.consumer === null) forgetClaims(context);
        return undefined;
      }
      const verdict = verify(context);
      return verdict instanceof Promise ? verdict.then(settled => settle(context, settled)) : settle(context, verdict);
    },
  };

  function settle(context: Context, verdict: Verdict<C>): Response | undefined {
    const refused = verdict instanceof RequestFailure || verdict instanceof Response;
    if (refused && anonymous === null) {
      if (verdict instanceof Response) return verdict;
      throw verdict;
    }
    const owner = refused ? anonymousConsumer() : consumerById(verdict.consumer.id);
    if (owner === undefined) {
      const message = refused ? `anonymous consumer ${anonymous} is configured but doesn't exist` : 'An unexpected error occurred';
      host.log.error(message, { request_id: context.id });
      throw new RequestFailure(500, message);
    }
    if (refused) identify(context, owner, null, null);
    else identify(context, owner, verdict, identifier(verdict));
    return undefined;
  }
}

function findAnonymous(host: Host, anonymous: string | null) {
  if (anonymous === null) return () => undefined;
  const byId = host.lookup(consumer, 'id');
  const byName = host.lookup(consumer, 'username');
  const id = isUuid(anonymous) ? anonymous.toLowerCase() : null;
  return () => (id === null ? undefined : byId(id)) ?? byName(anonymous);
}

/** The header that asks for a credential. Throws a ConfigurationError for a realm that no header can hold. */
export function challenge(scheme: string, realm: string | null): { readonly 'WWW-Authenticate': string } {
  if (realm === null) return { 'WWW-Authenticate': scheme };
  if (!isHeaderValue(realm)) throw new ConfigurationError('not a valid header value', 'realm');
  return { 'WWW-Authenticate': `${scheme} realm="${toHeader(realm)}"` };
}
