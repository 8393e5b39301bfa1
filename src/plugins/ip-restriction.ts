import { ConfigurationError } from '../lib/configuration-error.ts';
import { ipMatcher } from '../lib/ip.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, number, record, set, string } from '../schema/field.ts';
import { ipOrCidr, protocol } from '../schema/typedefs.ts';
import { definePlugin } from './plugin.ts';

/** Of streams too, in Kong. */
const protocols = set(protocol, { required: true, default: ['http', 'https', 'tcp', 'tls', 'grpc', 'grpcs'] });

/** Lets in clients by their address. Who is denied is not asked whether they are allowed. */
export const ipRestriction = definePlugin({
  name: 'ip-restriction',
  priority: 990,
  fields: { protocols },
  config: record({ allow: array(ipOrCidr), deny: array(ipOrCidr), status: number(), message: string() }, { required: true }),
  entity_checks: [{ at_least_one_of: ['config.allow', 'config.deny'] }],

  configure({ allow, deny, status: given, message }) {
    const status = given ?? 403;
    if (!Number.isInteger(status) || status < 400 || status > 599)
      throw new ConfigurationError('a refusal has a status between 400 and 599', 'status');
    const isDenied = ipMatcher(deny ?? []);
    const isAllowed = allow?.length ? ipMatcher(allow) : () => true;

    return {
      access({ clientIp }) {
        if (clientIp === '') throw new RequestFailure(403, 'Cannot identify the client IP address');
        if (isDenied(clientIp) || !isAllowed(clientIp)) throw new RequestFailure(status, message ?? 'Your IP address is not allowed');
        return undefined;
      },
    };
  },
});
