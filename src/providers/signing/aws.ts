import { ConfigurationError } from '../../lib/configuration-error.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Credentials, SignedCall } from '../provider.ts';

/** Who the gateway is to AWS. Without keys, they are looked for where every SDK of AWS's looks. */
export interface AwsIdentity {
  readonly service: string;
  readonly region: string;
  readonly accessKeyId?: string | null | undefined;
  readonly secretAccessKey?: string | null | undefined;
  /** A role to take on, with what the rest gives. */
  readonly roleArn?: string | null | undefined;
  readonly roleSessionName?: string | null | undefined;
  readonly stsEndpoint?: string | null | undefined;
}

/** What signs: `expiration` is absent for keys that last. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** The configured region, else that of the environment. Throws a ConfigurationError for none and for one that is no name. */
export function awsRegion(configured: string | null | undefined, { AWS_REGION, AWS_DEFAULT_REGION } = process.env): string {
  const region = configured || AWS_REGION || AWS_DEFAULT_REGION;
  if (!region) throw new ConfigurationError('no AWS region: set aws_region, or AWS_REGION in the environment', REGION_FIELD);
  // It becomes part of a host's name.
  if (!/^[a-z0-9-]+$/.test(region)) throw new ConfigurationError('no AWS region has such a name', REGION_FIELD);
  return region;
}

const REGION_FIELD = 'model.options.bedrock.aws_region';

/** Kept a little longer than the SDK keeps what it got: asked earlier it would give the old keys. */
const RENEWED_BEFORE = 4 * 60_000;
const LONGEST_WAIT = 10_000;
const SESSION_NAME = 'sluice';

/**
 * Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 * Keys come from the configuration, else from the environment, the shared profile, a web identity, the container or the instance.
 * Throws a ConfigurationError for half a key and for an endpoint that is no URL.
 */
export function awsCredentials(identity: AwsIdentity, now = Date.now): Credentials {
  check(identity);
  let source: Promise<() => Promise<AwsKeys>> | null = null;
  let keys: AwsKeys | null = null;
  let fetching: Promise<AwsKeys> | null = null;
  /** Answers to calls that are under way may still show the keys before. */
  let last: AwsKeys | null = null;

  return {
    async sign(call) {
      const proof = await signature(call, await validKeys(), identity, new Date(now()));
      for (const name of PROOF) delete call.headers[name];
      Object.assign(call.headers, proof);
    },
    secrets: () => [keys, last].flatMap(known => [known?.secretAccessKey, known?.sessionToken]).filter(secret => secret !== undefined),
  };

  async function validKeys(): Promise<AwsKeys> {
    if (keys !== null && lasts(keys, now() + RENEWED_BEFORE)) return keys;
    fetching ??= fetchKeys().finally(() => {
      fetching = null;
    });
    try {
      return await fetching;
    } catch (error) {
      // AWS may be back before the old keys' end.
      if (keys !== null && lasts(keys, now())) return keys;
      // The message of an SDK may name accounts and roles; the name says what went wrong.
      throw new RequestFailure(502, `the gateway has no AWS credentials: ${(error as Error).name}`);
    }
  }

  async function fetchKeys(): Promise<AwsKeys> {
    source ??= openSource(identity);
    const fetched = await (await source)();
    if (fetched.secretAccessKey !== keys?.secretAccessKey) last = keys;
    keys = fetched;
    return fetched;
  }
}

const lasts = ({ expiration }: AwsKeys, until: number) => expiration === undefined || expiration.getTime() > until;

function check({ accessKeyId, secretAccessKey, stsEndpoint }: AwsIdentity) {
  if (!accessKeyId !== !secretAccessKey) {
    throw new ConfigurationError('aws_access_key_id and aws_secret_access_key go together', 'auth.aws_secret_access_key');
  }
  if (stsEndpoint && URL.parse(stsEndpoint)?.host === undefined) {
    throw new ConfigurationError('aws_sts_endpoint_url is not a URL', 'model.options.bedrock.aws_sts_endpoint_url');
  }
}

async function openSource(identity: AwsIdentity): Promise<() => Promise<AwsKeys>> {
  const { region, accessKeyId, secretAccessKey, roleArn, roleSessionName, stsEndpoint } = identity;
  const configured = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : null;
  if (configured !== null && !roleArn) return async () => configured;

  const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
  // On the built-in fetch, which honours the gateway's proxies and certificates.
  const { FetchHttpHandler } = await import('@smithy/fetch-http-handler');
  const client = { region, requestHandler: new FetchHttpHandler({ requestTimeout: LONGEST_WAIT }) };
  const sts = { ...client, ...(stsEndpoint && { endpoint: stsEndpoint }) };

  // The chain's only client is that of STS when a web identity is what it finds.
  const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile } = process.env;
  const clientConfig = tokenFile ? sts : client;
  const base = configured ?? fromNodeProviderChain({ clientConfig, timeout: LONGEST_WAIT });
  if (!roleArn) return async () => await (base as () => Promise<AwsKeys>)();
  return fromTemporaryCredentials({
    masterCredentials: base,
    params: { RoleArn: roleArn, RoleSessionName: roleSessionName || SESSION_NAME },
    clientConfig: sts,
  }) as () => Promise<AwsKeys>;
}

/** Headers that prove who asks. A client's own go no further. */
const PROOF = ['authorization', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256'];
const BODY_HASH = 'x-amz-content-sha256';

/** The headers that prove a call of these keys. */
export async function signature(
  { method, url, headers, body }: SignedCall,
  keys: AwsKeys,
  { service, region }: Pick<AwsIdentity, 'service' | 'region'>,
  at: Date,
): Promise<Record<string, string>> {
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const signer = new SignatureV4({ service, region, credentials: keys, sha256: Sha256, applyChecksum: false });
  const { hostname, host, pathname, search, protocol } = new URL(url);
  const request = {
    method,
    protocol,
    hostname,
    path: pathname,
    query: queryOf(search),
    // The hash is given, that a large body need not be copied.
    headers: { ...signedHeaders(headers), host, [BODY_HASH]: new Bun.CryptoHasher('sha256').update(body).digest('hex') },
  };
  const signed = await signer.sign(request, { signingDate: at, unsignableHeaders: new Set([BODY_HASH]) });
  return Object.fromEntries(PROOF.flatMap(name => (name !== BODY_HASH && signed.headers[name] ? [[name, signed.headers[name]]] : [])));
}

/** Only what AWS demands, since proxies on the way may change the rest. */
const signedHeaders = (headers: SignedCall['headers']) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'content-type' || (name.startsWith('x-amz') && !PROOF.includes(name))),
  );

function queryOf(search: string): Record<string, string[]> {
  const parameters = new URLSearchParams(search);
  return Object.fromEntries([...parameters.keys()].map(name => [name, parameters.getAll(name)]));
}

/** The native hash behind the library's interface. */
class Sha256 {
  readonly #hash: Bun.CryptoHasher;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = new Bun.CryptoHasher('sha256', key === undefined ? undefined : toBytes(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView) {
    this.#hash.update(toBytes(data));
  }

  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
}

const toBytes = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (typeof data === 'string') return Buffer.from(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
};
