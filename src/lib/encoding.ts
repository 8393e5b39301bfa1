import { Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

type WholeDecoder = (bytes: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;

interface Coding {
  readonly whole: WholeDecoder;
  readonly stream: () => Transform;
}

const deflate: WholeDecoder = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflate);
const rawDeflate: WholeDecoder = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
/** Of deflate with its zlib header, the low half of the first byte is 8; old senders leave the header out. */
const eitherDeflate: WholeDecoder = (bytes, options) => (((bytes[0] ?? 0) & 15) === 8 ? deflate : rawDeflate)(bytes, options);

const gzip: Coding = { whole: promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip), stream: () => zlib.createGunzip() };
const CODINGS: ReadonlyMap<string, Coding> = new Map<string, Coding>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', { whole: eitherDeflate, stream: () => zlib.createInflate() }],
  ['br', { whole: promisify(zlib.brotliDecompress) as WholeDecoder, stream: () => zlib.createBrotliDecompress() }],
  ['zstd', { whole: promisify(zlib.zstdDecompress) as WholeDecoder, stream: () => zlib.createZstdDecompress() }],
]);

/** One over the other. Each costs as much as the body is long, and a header could name thousands. */
const MOST_CODINGS = 5;

/** Why a body could not be decoded. */
export class EncodingError extends Error {
  readonly reason: 'unknown' | 'corrupt' | 'too large';

  constructor(reason: EncodingError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Whether a Content-Encoding header says that the body is not plain. */
export const isEncoded = (header: string | null | undefined): header is string => namesOf(header ?? null).length > 0;

/**
 * Undoes what a Content-Encoding header names. Throws an EncodingError, also as soon as the result passes `limit` bytes
 * (0: no limit), so that a small body cannot fill the memory.
 */
export async function decodeBytes(bytes: Uint8Array, header: string | null, limit: number): Promise<Uint8Array> {
  let decoded = bytes;
  for (const { name, whole } of codingsOf(header)) {
    try {
      decoded = await whole(decoded, limit > 0 ? { maxOutputLength: limit } : {});
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw new EncodingError('too large', 'decoded body is too large');
      throw new EncodingError('corrupt', `body is not ${name}: ${(error as Error).message}`);
    }
  }
  return decoded;
}

/** The plain body of an answer, read as fast as it is asked for. Throws an EncodingError for a coding it does not know. */
export function decodeBody(body: ReadableStream<Uint8Array>, header: string | null): ReadableStream<Uint8Array> {
  let decoded = body;
  for (const { stream } of codingsOf(header)) {
    const decoder = stream();
    const encoded = Readable.fromWeb(decoded as never).once('error', error => decoder.destroy(error));
    decoder.once('close', () => encoded.destroy());
    decoded = Readable.toWeb(encoded.pipe(decoder)) as unknown as ReadableStream<Uint8Array>;
  }
  return decoded;
}

/** The codings in the order they must be undone: the header names them as they were applied. */
function namesOf(header: string | null): string[] {
  if (header === null || header === '') return [];
  const names = header.split(',').map(name => name.trim().toLowerCase());
  return names.filter(name => name !== '' && name !== 'identity').reverse();
}

function codingsOf(header: string | null): readonly (Coding & { readonly name: string })[] {
  const names = namesOf(header);
  if (names.length > MOST_CODINGS) throw new EncodingError('unknown', 'the content is encoded too many times');
  return names.map(name => {
    const coding = CODINGS.get(name);
    if (coding === undefined) throw new EncodingError('unknown', `unknown content encoding '${name}'`);
    return { name, ...coding };
  });
}
