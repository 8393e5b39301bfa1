import { createHash, createHmac } from 'node:crypto';

/** A request as it arrived: names in lower case, the path as it was sent. */
export interface SignedRequest {
  readonly method: string;
  /** With the query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Whether a request is signed with the key, reckoned from AWS's description alone:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function isSignedBy(secretAccessKey: string, { method, target, headers, body }: SignedRequest): boolean {
  const { authorization = '' } = headers;
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, , day = '', region = '', service = '', names = '', given] = pattern.exec(authorization) ?? [];
  const [path = '', query = ''] = target.split('?');
  const canonical = [
    method,
    path.split('/').map(escaped).join('/'),
    query.split('&').sort().join('&'),
    ...names.split(';').map(name => `${name}:${headers[name]?.trim()}`),
    '',
    names,
    createHash('sha256').update(body).digest('hex'),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const mustSign = Object.keys(headers).filter(name => name === 'host' || (name.startsWith('x-amz-') && name !== 'x-amz-content-sha256'));
  const signsEnough = mustSign.every(name => names.split(';').includes(name));
  return signsEnough && given === createHmac('sha256', key).update(toSign).digest('hex');
}

/** Paths are escaped twice: once as they are sent, once more to be signed. */
const escaped = (segment: string) =>
  encodeURIComponent(segment).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
