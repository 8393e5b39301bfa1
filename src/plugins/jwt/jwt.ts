import type { Json, JsonObject } from '../../lib/json.ts';
import { boolean, number, record, set, string } from '../../schema/field.ts';
import { noConsumer, noConsumerGroup, protocolsHttp } from '../../schema/typedefs.ts';
import { challenge, compileAuthentication, type Verdict } from '../authentication/authenticate.ts';
import { headerNamesOf } from '../authentication/header-names.ts';
import type { Context } from '../context.ts';
import { exitWithJson } from '../exit.ts';
import { definePlugin } from '../plugin.ts';
import { isSymmetric, keyVerifier, secretVerifier, type Verifier } from './algorithms.ts';
import { type JwtSecret, jwtSecret } from './jwt-secret.ts';
import { parseToken, tokensIn } from './token.ts';

/** Lets in who brings a token that is signed for a consumer. */
export const jwt = definePlugin({
  name: 'jwt',
  priority: 1450,
  fields: { consumer: noConsumer, consumer_group: noConsumerGroup, protocols: protocolsHttp },
  entities: [jwtSecret],
  config: record(
    {
      uri_param_names: set(string(), { default: ['jwt'] }),
      cookie_names: set(string(), { default: [] }),
      key_claim_name: string({ default: 'iss' }),
      secret_is_base64: boolean({ required: true, default: false }),
      claims_to_verify: set(string({ one_of: ['exp', 'nbf'] })),
      anonymous: string(),
      run_on_preflight: boolean({ required: true, default: true }),
      maximum_expiration: number({ between: [0, 31536000], default: 0 }),
      header_names: set(string(), { default: ['authorization'] }),
      realm: string({ required: false }),
    },
    { required: true },
  ),
  entity_checks: [
    {
      conditional: {
        if_field: 'config.maximum_expiration',
        if_match: { gt: 0 },
        then_field: 'config.claims_to_verify',
        then_match: { contains: 'exp' },
      },
    },
  ],

  configure(config, host) {
    const places = {
      parameters: config.uri_param_names ?? [],
      cookies: config.cookie_names ?? [],
      headers: (config.header_names ?? []).flatMap(headerNamesOf),
    };
    const keyClaim = config.key_claim_name ?? 'iss';
    const longest = config.maximum_expiration ?? 0;
    // A token that is to end soon has to end.
    const verified = new Set([...(config.claims_to_verify ?? []), ...(longest > 0 ? (['exp'] as const) : [])]);
    const claimChecks = [...verified].map(name => ({ name, check: CHECKS[name] }));
    const asked = challenge('Bearer', config.realm);
    const invalid = { 'WWW-Authenticate': `${asked['WWW-Authenticate']} error="invalid_token"` };
    const credentialOf = host.lookup(jwtSecret, 'key');
    // Rows do not change, so each key is read once.
    const verifiers = new WeakMap<JwtSecret, Verifier>();

    return compileAuthentication<JwtSecret>(host, {
      places: {
        headers: places.cookies.length > 0 ? [...places.headers, 'cookie'] : places.headers,
        parameters: places.parameters,
        members: [],
      },
      anonymous: config.anonymous,
      runOnPreflight: config.run_on_preflight,
      identifier: ({ key }) => key,
      verify,
    });

    function verify(context: Context): Verdict<JwtSecret> {
      const [text, another] = tokensIn(context, places);
      if (text === undefined) return refused({ message: 'Unauthorized' }, asked);
      if (another !== undefined) return refused({ message: 'Multiple tokens provided' });
      const token = parseToken(text);
      if (typeof token === 'string') return refused({ message: `Bad token; ${token}` });

      const key = ownMember(token.claims, keyClaim) ?? ownMember(token.header, keyClaim);
      if (key === undefined) return refused({ message: `No mandatory '${keyClaim}' in claims` });
      if (key === '') return refused({ message: `Invalid '${keyClaim}' in claims` });
      const credential = typeof key === 'string' ? credentialOf(key) : undefined;
      if (credential === undefined) return refused({ message: `No credentials found for given '${keyClaim}'` });
      // Never what the token says alone: a public key is no secret to sign with.
      if (token.algorithm !== algorithmOf(credential)) return refused({ message: 'Invalid algorithm' });
      const isSigned = verifierOf(credential);
      if (isSigned === null) return refused({ message: 'Invalid key/secret' });
      if (!isSigned(token.text, token.signature)) return refused({ message: 'Invalid signature' });

      const errors = claimErrors(token.claims);
      return errors === null ? credential : refused(errors);
    }

    function verifierOf(credential: JwtSecret): Verifier | null {
      const made = verifiers.get(credential) ?? makeVerifier(credential);
      if (made !== null) verifiers.set(credential, made);
      return made;
    }

    function makeVerifier(credential: JwtSecret): Verifier | null {
      const algorithm = algorithmOf(credential);
      const { secret, rsa_public_key: pem } = credential;
      if (isSymmetric(algorithm)) {
        // Of what is no base64 little would be left, or nothing: a secret that everybody knows.
        if (config.secret_is_base64 && !BASE64.test(secret)) return null;
        return secretVerifier(algorithm, Buffer.from(secret, config.secret_is_base64 ? 'base64' : 'utf8'));
      }
      return pem === null ? null : keyVerifier(algorithm, pem);
    }

    function claimErrors(claims: JsonObject): JsonObject | null {
      const now = Math.floor(Date.now() / 1000);
      const errors: JsonObject = {};
      for (const { name, check } of claimChecks) {
        const claim = ownMember(claims, name);
        const error = typeof claim === 'number' ? check(claim, now) : 'must be a number';
        if (error !== null) errors[name] = error;
      }
      if (Object.keys(errors).length > 0) return errors;
      const end = ownMember(claims, 'exp');
      return longest > 0 && !(typeof end === 'number' && end - now <= longest) ? { exp: 'exceeds maximum allowed expiration' } : null;
    }

    /** Kong answers in JSON, whatever the client accepts. */
    function refused(body: JsonObject, headers: Readonly<Record<string, string>> = invalid): Response {
      const response = exitWithJson(401, body);
      for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
      return response;
    }
  },
});

/** In either alphabet, as Kong takes it. */
const BASE64 = /^[\w+/-]{2,}={0,2}$/;

const algorithmOf = ({ algorithm }: JwtSecret) => algorithm ?? 'HS256';

const CHECKS = {
  nbf: (time: number, now: number) => (time > now ? 'token not valid yet' : null),
  exp: (time: number, now: number) => (time <= now ? 'token expired' : null),
};

/** What a token says; it says nothing by false or null, as in Lua. */
function ownMember(object: JsonObject, name: string): Json | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return value === null || value === false ? undefined : value;
}
