import { ConfigurationError } from '../lib/configuration-error.ts';

/** Where entries are sent, and with what. User and password of the URL are sent as a header. Throws a ConfigurationError. */
export function destinationOf(
  endpoint: string,
  field: string,
  headers: Readonly<Record<string, string>> | null,
  contentType: string,
): { url: URL; headers: Headers } {
  const url = URL.parse(endpoint);
  if (!url) throw new ConfigurationError('what the reference stands for is not a url', field);
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers ?? {})) {
    try {
      sent.set(name, value);
    } catch {
      throw new ConfigurationError('not a valid HTTP header', `headers.${name}`);
    }
  }
  sent.set('content-type', contentType);
  if (hasUserInfo(url)) {
    const userInfo = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    sent.set('authorization', `Basic ${Buffer.from(userInfo).toString('base64')}`);
    url.username = '';
    url.password = '';
  }
  return { url, headers: sent };
}

export const hasUserInfo = (url: URL) => url.username !== '' || url.password !== '';

export function checkUrl(value: string): string | undefined {
  const url = URL.parse(value);
  if (!url?.host) return 'missing host in url';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'the url must start with http:// or https://';
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return 'the user info in the url is not percent-encoded as it should be';
  }
  return undefined;
}
