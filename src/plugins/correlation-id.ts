import { networkInterfaces } from 'node:os';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { isHeaderName } from '../lib/header-syntax.ts';
import { boolean, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { type Context, noteKey } from './context.ts';
import { definePlugin } from './plugin.ts';

const HEADER = 'Kong-Request-ID';

/** Ids of all configurations are counted together, as in Kong: no two of this process are alike. */
const processId = crypto.randomUUID();
let made = 0;

/** Bun does not tell connections apart: in the places of Kong's number of the connection and of its request stand the id's own, and 1. */
const GENERATORS = {
  uuid: () => crypto.randomUUID(),
  'uuid#counter': () => `${processId}#${++made}`,
  tracker: ({ port }: Context) => `${address()}-${port}-${process.pid}-${++made}-1-${(Date.now() / 1000).toFixed(3)}`,
};

/** Of this machine, where others reach it. */
function address(): string {
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

const idKey = noteKey<string>('correlation id');

/** Gives each request an id, unless the client has brought one: for the upstream, for the log, and on request for the client. */
export const correlationId = definePlugin({
  name: 'correlation-id',
  priority: 100_001,
  fields: { protocols: protocolsHttp },
  config: record(
    {
      header_name: string({ default: HEADER }),
      generator: string({ required: true, default: 'uuid#counter', one_of: ['uuid', 'uuid#counter', 'tracker'] }),
      echo_downstream: boolean({ required: true, default: false }),
    },
    { required: true },
  ),

  configure({ header_name, generator, echo_downstream }) {
    const name = header_name ?? HEADER;
    if (!isHeaderName(name)) throw new ConfigurationError(`'${name}' is not a valid header`, 'header_name');
    const sent = name.toLowerCase();
    const generate = GENERATORS[generator];
    return {
      access(context) {
        const brought = context.request.headers.get(name);
        const id = brought || generate(context);
        if (!brought) context.upstream.headers[sent] = id;
        context.log['correlation_id'] = id;
        if (echo_downstream) context.notes.set(idKey, id);
        return undefined;
      },

      ...(echo_downstream && {
        // A request that matches no route has not come by the access phase.
        response(context, response) {
          response.headers.set(name, context.notes.get(idKey) ?? (context.request.headers.get(name) || generate(context)));
          return undefined;
        },
      }),
    };
  },
});
