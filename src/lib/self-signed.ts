import { node } from './node.ts';

export interface KeyPair {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
const UTC_TIME = 0x17;
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const COMMON_NAME = [0x55, 0x04, 0x03];
const SUBJECT_ALTERNATIVE_NAME = [0x55, 0x1d, 0x11];
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/** A certificate for localhost that nobody vouches for, so that a TLS listener works before it is given a real one. RFC 5280. */
export function selfSigned(now = Date.now()): KeyPair {
  const { generateKeyPairSync, randomBytes, sign } = node.crypto;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = tag(SEQUENCE, tag(OBJECT_IDENTIFIER, Buffer.from(ECDSA_WITH_SHA256)));
  const name = tag(
    SEQUENCE,
    tag(SET, tag(SEQUENCE, tag(OBJECT_IDENTIFIER, Buffer.from(COMMON_NAME)), tag(UTF8_STRING, Buffer.from('localhost')))),
  );
  const names = tag(
    SEQUENCE,
    tag(DNS_NAME, Buffer.from('localhost')),
    tag(IP_ADDRESS, Buffer.from([127, 0, 0, 1])),
    tag(IP_ADDRESS, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  const content = tag(
    SEQUENCE,
    tag(VERSION_TAG, tag(INTEGER, Buffer.from([2]))),
    // Positive, as a serial number must be, and without a leading zero byte.
    tag(INTEGER, Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    name,
    tag(SEQUENCE, time(now - DAY_MS), time(now + 3650 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(
      EXTENSIONS_TAG,
      tag(SEQUENCE, tag(SEQUENCE, tag(OBJECT_IDENTIFIER, Buffer.from(SUBJECT_ALTERNATIVE_NAME)), tag(OCTET_STRING, names))),
    ),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', content, privateKey)]);
  return {
    cert: pem('CERTIFICATE', tag(SEQUENCE, content, algorithm, tag(BIT_STRING, signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** One value in DER: its tag, its length, its content. */
function tag(kind: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80 ? [body.length] : body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([kind, ...length]), body]);
}

/** With two digits for the year, as RFC 5280 wants it up to 2049. */
const time = (ms: number) => tag(UTC_TIME, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
