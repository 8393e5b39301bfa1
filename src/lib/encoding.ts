import type { Transform } from 'node:stream';
import type { ZlibOptions } from 'node:zlib';
import { node } from './node.ts';

type WholeDecoder = (bytes: Uint8Array, options: ZlibOptions) => Promise<Buffer>;

interface Coding {
  readonly whole: WholeDecoder;
  readonly stream: () => Transform;
}

/** By zlib's name for what undoes a coding. */
const whole =
  (name: 'gunzip' | 'inflate' | 'inflateRaw' | 'brotliDecompress' | 'zstdDecompress'): WholeDecoder =>
  (bytes, options) =>
    new Promise((resolve, reject) => {
      const decode = node.zlib[name] as typeof import('node:zlib').gunzip;
      decode(bytes, options, (error, decoded) => (error ? reject(error) : resolve(decoded)));
    });

const deflate = whole('inflate');
const rawDeflate = whole('inflateRaw');
/** Of deflate with its zlib header, the low half of the first byte is 8; old senders leave the header out. */
const eitherDeflate: WholeDecoder = (bytes, options) => (((bytes[0] ?? 0) & 15) === 8 ? deflate : rawDeflate)(bytes, options);

const gzip: Coding = { whole: whole('gunzip'), stream: () => node.zlib.createGunzip() };
const CODINGS: ReadonlyMap<string, Coding> = new Map<string, Coding>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', { whole: eitherDeflate, stream: () => node.zlib.createInflate() }],
  ['br', { whole: whole('brotliDecompress'), stream: () => node.zlib.createBrotliDecompress() }],
  ['zstd', { whole: whole('zstdDecompress'), stream: () => node.zlib.createZstdDecompress() }],
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
    const encoded = node.stream.Readable.fromWeb(decoded as never).once('error', error => decoder.destroy(error));
    decoder.once('close', () => encoded.destroy());
    decoded = node.stream.Readable.toWeb(encoded.pipe(decoder)) as unknown as ReadableStream<Uint8Array>;
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
