import { ConfigurationError } from '../lib/configuration-error.ts';
import { isHeaderValue } from '../lib/header-syntax.ts';
import { boolean, integer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { exit } from './exit.ts';
import { definePlugin } from './plugin.ts';

/** Sends clients elsewhere: to a place, or to the path and the query they asked for at another. */
export const redirect = definePlugin({
  name: 'redirect',
  priority: 779,
  fields: { protocols: protocolsHttp },
  config: record(
    {
      status_code: integer({ required: true, default: 301, between: [100, 599] }),
      location: string({ required: true, custom_validator: locationError }),
      keep_incoming_path: boolean({ default: false }),
    },
    { required: true },
  ),

  configure({ status_code, location, keep_incoming_path }) {
    if (status_code < 200) throw new ConfigurationError('an answer that ends a request has a status of 200 at least', 'status_code');
    const to = (place: string) => exit(status_code, 'redirecting', { Location: place });
    const fixed = inAscii(location);
    if (!keep_incoming_path) return { access: () => to(fixed) };
    const base = new URL(location);
    return {
      access({ path, query }) {
        const place = new URL(base);
        place.pathname = path;
        place.search = query;
        return to(place.href);
      },
    };
  },
});

/** What a browser would make of it. */
const inAscii = (url: string) => url.replaceAll(/[^\x20-\x7e]+/g, encodeURIComponent);

function locationError(location: string): string | undefined {
  if (!isHeaderValue(location)) return 'not a valid header value';
  const [, scheme, host] = /^([A-Za-z][A-Za-z\d+.-]*:)?\/\/([^/?#]+)/.exec(location) ?? [];
  if (host === undefined) return 'missing host in url';
  if (scheme === undefined) return 'missing scheme in url';
  return URL.canParse(location) ? undefined : 'could not parse url';
}
