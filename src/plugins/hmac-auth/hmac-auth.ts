import { RequestFailure } from '../../lib/request-failure.ts';
import { isSameSecret } from '../../lib/same-secret.ts';
import { array, boolean, number, record, string } from '../../schema/field.ts';
import { noConsumer, noConsumerGroup, protocolsHttp } from '../../schema/typedefs.ts';
import { challenge, compileAuthentication, type Verdict } from '../authentication/authenticate.ts';
import { AUTHORIZATION_HEADERS } from '../authentication/authorization-headers.ts';
import type { Context } from '../context.ts';
import { definePlugin } from '../plugin.ts';
import { type HmacauthCredential, hmacauthCredential } from './hmacauth-credential.ts';
import { ALGORITHMS, isSignedBy, parseSignature, type Signature } from './signature.ts';

const DATES = ['x-date', 'date'];
const NO_DATE = 'HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication';

/** Lets in who signs the request with the secret of a consumer, and not too long ago. */
export const hmacAuth = definePlugin({
  name: 'hmac-auth',
  priority: 1030,
  fields: { consumer: noConsumer, consumer_group: noConsumerGroup, protocols: protocolsHttp },
  entities: [hmacauthCredential],
  config: record(
    {
      hide_credentials: boolean({ required: true, default: false }),
      clock_skew: number({ default: 300, gt: 0 }),
      anonymous: string(),
      validate_request_body: boolean({ required: true, default: false }),
      enforce_headers: array(string(), { default: [] }),
      algorithms: array(string({ one_of: ALGORITHMS }), { default: ALGORITHMS }),
      realm: string({ required: false }),
    },
    { required: true },
  ),

  configure(config, host) {
    const { hide_credentials: hides, validate_request_body: validatesBody } = config;
    const headers = challenge('hmac', config.realm);
    const unsigned = new RequestFailure(401, 'Unauthorized', headers);
    const undated = new RequestFailure(401, NO_DATE, headers);
    const unverifiable = new RequestFailure(401, 'HMAC signature cannot be verified', headers);
    const unlike = new RequestFailure(401, 'HMAC signature does not match', headers);

    const skew = config.clock_skew ?? 300;
    const enforced = config.enforce_headers ?? [];
    const algorithms = new Set<string>(config.algorithms ?? []);
    const credentialOf = host.lookup(hmacauthCredential, 'username');

    return compileAuthentication<HmacauthCredential>(host, {
      places: { headers: AUTHORIZATION_HEADERS, parameters: [], members: [] },
      anonymous: config.anonymous,
      runOnPreflight: true,
      identifier: ({ username }) => username,
      verify(context) {
        const verdict = verifyHead(context);
        return validatesBody && !(verdict instanceof RequestFailure) ? verifyBody(context, verdict) : verdict;
      },
    });

    function verifyHead(context: Context): HmacauthCredential | RequestFailure {
      const given = context.request.headers;
      if (!AUTHORIZATION_HEADERS.some(name => given.has(name))) return unsigned;
      const near = DATES.filter(name => isNear(given.get(name)));
      if (near.length === 0) return undated;
      const signature = signatureOf(context);
      if (signature === null || !algorithms.has(signature.algorithm)) return unverifiable;
      // Beside a date that is signed, another one could be put anew each time.
      const signed = DATES.filter(name => signature.headers.some(header => header.toLowerCase() === name));
      if (signed.length > 0 && !signed.some(name => near.includes(name))) return undated;
      if (!enforced.every(name => signature.headers.includes(name))) return unverifiable;
      const credential = credentialOf(signature.username);
      if (credential === undefined) return unverifiable;
      return isSignedBy(credential.secret, signature, context) ? credential : unlike;
    }

    async function verifyBody({ request, body }: Context, credential: HmacauthCredential): Promise<Verdict<HmacauthCredential>> {
      const digest = request.headers.get('digest');
      const bytes = await body.bytes(0);
      // Without a digest there must be nothing to digest.
      if (digest === null) return bytes.length === 0 ? credential : unlike;
      const wanted = `SHA-256=${new Bun.CryptoHasher('sha256').update(bytes).digest('base64')}`;
      return isSameSecret(digest, wanted) ? credential : unlike;
    }

    function signatureOf({ request, upstream }: Context): Signature | null {
      for (const name of AUTHORIZATION_HEADERS) {
        const header = request.headers.get(name);
        const signature = header === null ? null : parseSignature(header);
        if (signature === null) continue;
        if (hides) delete upstream.headers[name];
        return signature;
      }
      return null;
    }

    function isNear(date: string | null): boolean {
      const time = date === null ? Number.NaN : timeOf(date);
      return Math.abs(Math.floor(Date.now() / 1000) - time) <= skew;
    }
  },
});

/** Seconds since 1970 of a date as HTTP writes it, in one of its three ways; NaN for any other. */
function timeOf(date: string): number {
  if (/^[A-Z][a-z]+, [\w -]+ \d\d:\d\d:\d\d GMT$/.test(date)) return Date.parse(date) / 1000;
  return /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/.test(date) ? Date.parse(`${date} GMT`) / 1000 : Number.NaN;
}
