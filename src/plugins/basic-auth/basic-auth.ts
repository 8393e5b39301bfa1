import { RequestFailure } from '../../lib/request-failure.ts';
import { isSameSecret } from '../../lib/same-secret.ts';
import { boolean, record, string } from '../../schema/field.ts';
import { noConsumer, noConsumerGroup, protocolsHttp } from '../../schema/typedefs.ts';
import { challenge, compileAuthentication } from '../authentication/authenticate.ts';
import { AUTHORIZATION_HEADERS } from '../authentication/authorization-headers.ts';
import { definePlugin } from '../plugin.ts';
import { type BasicauthCredential, basicauthCredential, digestOf } from './basicauth-credential.ts';

/** Lets in who knows the name and the password of a consumer. */
export const basicAuth = definePlugin({
  name: 'basic-auth',
  priority: 1100,
  fields: { consumer: noConsumer, consumer_group: noConsumerGroup, protocols: protocolsHttp },
  entities: [basicauthCredential],
  config: record(
    {
      anonymous: string(),
      hide_credentials: boolean({ required: true, default: false }),
      realm: string({ required: true, default: 'service' }),
    },
    { required: true },
  ),

  configure({ anonymous, hide_credentials: hides, realm }, host) {
    const refused = new RequestFailure(401, 'Unauthorized', challenge('Basic', realm));
    const credentialOf = host.lookup(basicauthCredential, 'username');

    return compileAuthentication<BasicauthCredential>(host, {
      places: { headers: AUTHORIZATION_HEADERS, parameters: [], members: [] },
      anonymous,
      runOnPreflight: true,
      identifier: ({ username }) => username,
      verify({ request: { headers }, upstream }) {
        for (const name of AUTHORIZATION_HEADERS) {
          const header = headers.get(name);
          if (header === null) continue;
          if (hides) delete upstream.headers[name];
          const given = nameAndPassword(header);
          const credential = given && credentialOf(given.name);
          if (!credential) continue;
          return isSameSecret(digestOf(given.password, credential.consumer.id), credential.password) ? credential : refused;
        }
        return refused;
      },
    });
  },
});

function nameAndPassword(header: string): { readonly name: string; readonly password: string } | null {
  const encoded = /^\s*basic\s*([^\s].*)$/i.exec(header)?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon > 0 ? { name: text.slice(0, colon), password: text.slice(colon + 1) } : null;
}
