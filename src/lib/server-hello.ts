/** What a TLS connection came to, in OpenSSL's words. */
export interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
}

const HANDSHAKE_RECORD = 22;
const SERVER_HELLO = 2;
/** Of the record and of the message, before the server's version. */
const HEADERS = 5 + 4;
const RANDOM = 32;
const SUPPORTED_VERSIONS = 43;

const VERSIONS: Readonly<Record<number, string>> = { 769: 'TLSv1', 770: 'TLSv1.1', 771: 'TLSv1.2', 772: 'TLSv1.3' };

/** Those that BoringSSL speaks: https://www.iana.org/assignments/tls-parameters/ */
const CIPHERS: Readonly<Record<number, string>> = {
  4865: 'TLS_AES_128_GCM_SHA256',
  4866: 'TLS_AES_256_GCM_SHA384',
  4867: 'TLS_CHACHA20_POLY1305_SHA256',
  49195: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  49196: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  49199: 'ECDHE-RSA-AES128-GCM-SHA256',
  49200: 'ECDHE-RSA-AES256-GCM-SHA384',
  52392: 'ECDHE-RSA-CHACHA20-POLY1305',
  52393: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  49161: 'ECDHE-ECDSA-AES128-SHA',
  49162: 'ECDHE-ECDSA-AES256-SHA',
  49171: 'ECDHE-RSA-AES128-SHA',
  49172: 'ECDHE-RSA-AES256-SHA',
  49187: 'ECDHE-ECDSA-AES128-SHA256',
  49191: 'ECDHE-RSA-AES128-SHA256',
  156: 'AES128-GCM-SHA256',
  157: 'AES256-GCM-SHA384',
  47: 'AES128-SHA',
  53: 'AES256-SHA',
};

/** Reads the first bytes that a TLS server sent: RFC 8446, section 4.1.3. Null for what is no whole ServerHello. */
export function readServerHello(bytes: Uint8Array): TlsFacts | null {
  const hello = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (hello[0] !== HANDSHAKE_RECORD || hello[5] !== SERVER_HELLO) return null;
  try {
    let position = HEADERS + 2 + RANDOM;
    position += 1 + hello.readUInt8(position); // session
    const cipher = hello.readUInt16BE(position);
    const version = versionIn(hello, position + 3) ?? hello.readUInt16BE(HEADERS);
    return { version: VERSIONS[version] ?? hex(version), cipher: CIPHERS[cipher] ?? hex(cipher) };
  } catch {
    return null;
  }
}

/** Since TLS 1.3 the version is an extension. Throws a RangeError for a message that ends before it should. */
function versionIn(hello: Buffer, start: number): number | undefined {
  const messageEnd = HEADERS + hello.readUIntBE(HEADERS - 3, 3);
  if (start >= messageEnd) return undefined;
  const end = start + 2 + hello.readUInt16BE(start);
  for (let position = start + 2; position < end; position += 4 + hello.readUInt16BE(position + 2)) {
    if (hello.readUInt16BE(position) === SUPPORTED_VERSIONS) return hello.readUInt16BE(position + 4);
  }
  return undefined;
}

const hex = (number: number) => `0x${number.toString(16).padStart(4, '0')}`;
