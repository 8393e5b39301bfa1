import { hasEnded } from '../../entities/expiring.ts';
import { changeParameters, parseArguments } from '../../lib/query.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { array, boolean, record, string } from '../../schema/field.ts';
import { noConsumer, noConsumerGroup, protocolsHttp } from '../../schema/typedefs.ts';
import { challenge, compileAuthentication, type Verdict } from '../authentication/authenticate.ts';
import { type BodyFields, readBodyFields } from '../authentication/body-fields.ts';
import { headerNamesOf } from '../authentication/header-names.ts';
import type { Context } from '../context.ts';
import { definePlugin } from '../plugin.ts';
import { type KeyauthCredential, keyauthCredential } from './keyauth-credential.ts';

/** Lets in who brings a key of a consumer. */
export const keyAuth = definePlugin({
  name: 'key-auth',
  priority: 1250,
  fields: { consumer: noConsumer, consumer_group: noConsumerGroup, protocols: protocolsHttp },
  entities: [keyauthCredential],
  config: record(
    {
      key_names: array(string(), { required: true, default: ['apikey'] }),
      hide_credentials: boolean({ required: true, default: false }),
      anonymous: string(),
      key_in_header: boolean({ required: true, default: true }),
      key_in_query: boolean({ required: true, default: true }),
      key_in_body: boolean({ required: true, default: false }),
      run_on_preflight: boolean({ required: true, default: true }),
      realm: string({ required: false }),
    },
    { required: true },
  ),

  configure(config, host) {
    const { key_in_header: inHeader, key_in_query: inQuery, key_in_body: inBody, hide_credentials: hides } = config;
    const names = config.key_names.map(name => ({ name, headers: headerNamesOf(name) }));
    const asked = challenge('Key', config.realm);
    const duplicate = new RequestFailure(401, 'Duplicate API key found', asked);
    const missing = new RequestFailure(401, 'No API key found in request', asked);
    const unknown = new RequestFailure(401, 'Unauthorized', asked);
    const credentialOf = host.lookup(keyauthCredential, 'key');

    return compileAuthentication<KeyauthCredential>(host, {
      places: {
        headers: inHeader ? names.flatMap(({ headers }) => headers) : [],
        parameters: inQuery ? config.key_names : [],
        members: inBody ? config.key_names : [],
      },
      anonymous: config.anonymous,
      runOnPreflight: config.run_on_preflight,
      identifier: ({ id }) => id,
      verify: inBody ? verifyWithBody : verifyHead,
    });

    function verifyHead(context: Context): Verdict<KeyauthCredential> {
      for (const { name, headers } of names) {
        const said = inHead(context, name, headers);
        if (Array.isArray(said)) return duplicate;
        if (typeof said !== 'string') continue;
        if (hides) hide(context, name, headers);
        return verdictOn(said);
      }
      return missing;
    }

    async function verifyWithBody(context: Context): Promise<Verdict<KeyauthCredential>> {
      let body: BodyFields | undefined;
      for (const { name, headers } of names) {
        let said: unknown = inHead(context, name, headers);
        if (said === undefined) {
          body ??= await readBodyFields(context);
          said = body.get(name);
        }
        if (typeof said === 'object' && said !== null) return duplicate;
        if (typeof said !== 'string') continue;
        if (hides) {
          hide(context, name, headers);
          body ??= await readBodyFields(context);
          body.remove(name);
        }
        return verdictOn(said);
      }
      return missing;
    }

    function inHead({ request, query }: Context, name: string, headers: readonly string[]) {
      if (inHeader) {
        for (const header of headers) {
          const said = request.headers.get(header);
          if (said !== null) return said;
        }
      }
      return inQuery && query !== '' ? parseArguments(query.slice(1))[name] : undefined;
    }

    function verdictOn(key: string): Verdict<KeyauthCredential> {
      if (key === '') return missing;
      const credential = credentialOf(key);
      return credential === undefined || hasEnded(credential) ? unknown : credential;
    }
  },
});

/** What proves the client's identity stops here, wherever it stands. */
function hide({ upstream }: Context, name: string, headers: readonly string[]): void {
  for (const header of headers) delete upstream.headers[header];
  const mark = upstream.url?.indexOf('?') ?? -1;
  if (upstream.url === null || mark === -1) return;
  const query = changeParameters(upstream.url.slice(mark), (parameter, pair) => (parameter === name ? null : pair));
  upstream.url = upstream.url.slice(0, mark) + query;
}
