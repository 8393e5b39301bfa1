import { RequestFailure } from '../lib/request-failure.ts';

/** What a data URI holds. */
export interface DataUri {
  /** Lower-case, without parameters. */
  readonly type: string;
  readonly base64: string;
}

/** https://www.rfc-editor.org/rfc/rfc2397. The data may be megabytes: it is cut out and not copied. Undefined for another URI. */
export function readDataUri(uri: string): DataUri | undefined {
  const comma = uri.indexOf(',');
  if (comma === -1 || !/^data:/i.test(uri.slice(0, 5))) return undefined;
  const [type = '', ...parameters] = uri.slice('data:'.length, comma).toLowerCase().split(';');
  const data = uri.slice(comma + 1);
  const base64 = parameters.includes('base64') ? data : Buffer.from(unescaped(data)).toString('base64');
  return { type: type || 'text/plain', base64 };
}

function unescaped(data: string): string {
  try {
    return decodeURIComponent(data);
  } catch {
    throw new RequestFailure(400, 'a data URI is not percent-encoded as it should be');
  }
}
