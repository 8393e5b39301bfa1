/** How a TLS connection begins: which server name it asks for. `incomplete`: more bytes must come to tell. */
export type ClientHello = { readonly serverName: string | null } | 'incomplete';

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
/** More is no greeting. */
const LONGEST = 16 * 1024;
/** Before what a client offers come its version, 32 random bytes, and lists that say how long they are. */
const FIXED_PART = 2 + 32;
const SERVER_NAME = 0;
const HOST_NAME = 0;

const NOBODY: ClientHello = { serverName: null };

/**
 * Reads the first bytes of a connection, as they came: RFC 8446, section 4.1.2, and RFC 6066, section 3. Of what is no
 * ClientHello it says that no name is asked for: what to make of such bytes is for the TLS server to say.
 */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = firstMessage(bytes);
  if (message === 'incomplete') return 'incomplete';
  if (message === null) return NOBODY;
  try {
    return { serverName: serverNameIn(message) };
  } catch {
    return NOBODY;
  }
}

/** The content of the first handshake message, which records may cut anywhere; null for what is none. */
function firstMessage(bytes: Buffer): Buffer | 'incomplete' | null {
  const parts: Buffer[] = [];
  let size = 0;
  let end = 0;
  for (let start = 0; start < bytes.length; start = end) {
    if (bytes[start] !== HANDSHAKE_RECORD) return null;
    if (start + RECORD_HEADER > bytes.length) break;
    const length = bytes.readUInt16BE(start + 3);
    if (length === 0) return null;
    end = start + RECORD_HEADER + length;
    const part = bytes.subarray(start + RECORD_HEADER, end);
    parts.push(part);
    size += part.length;
    // Most come in one record.
    if (size < MESSAGE_HEADER || (parts.length > 1 && end < bytes.length && bytes[end] === HANDSHAKE_RECORD)) continue;
    const content = Buffer.concat(parts);
    if (content[0] !== CLIENT_HELLO) return null;
    const wanted = MESSAGE_HEADER + content.readUIntBE(1, 3);
    if (size >= wanted) return content.subarray(MESSAGE_HEADER, wanted);
  }
  return bytes.length > LONGEST ? null : 'incomplete';
}

/** Throws a RangeError for a message that ends before it should. */
function serverNameIn(message: Buffer): string | null {
  let position = FIXED_PART;
  position += 1 + message.readUInt8(position); // session
  position += 2 + message.readUInt16BE(position); // cipher suites
  position += 1 + message.readUInt8(position); // compression
  if (position === message.length) return null;
  const end = position + 2 + message.readUInt16BE(position);
  for (position += 2; position < end; ) {
    const kind = message.readUInt16BE(position);
    const length = message.readUInt16BE(position + 2);
    position += 4;
    if (kind === SERVER_NAME) return hostNameIn(message.subarray(position, position + length));
    position += length;
  }
  return null;
}

function hostNameIn(extension: Buffer): string | null {
  if (extension.length === 0 || extension.readUInt8(2) !== HOST_NAME) return null;
  const name = extension.toString('latin1', 5, 5 + extension.readUInt16BE(3)).toLowerCase();
  return name === '' ? null : name.endsWith('.') ? name.slice(0, -1) : name;
}
