import { decodeBytes, EncodingError, isEncoded } from '../lib/encoding.ts';
import { type Json, parseJson } from '../lib/json.ts';
import { LongStrings } from '../lib/long-strings.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { RequestBody } from '../plugins/context.ts';
import { FAILURES } from './failures.ts';

/** Bodies up to here are read whole before they are sent on: it costs less than a stream, and they can be sent again. */
const SMALL = 64 * 1024;

/** From here on long strings of JSON that nobody reads stand apart: as values they would cost more than the rest of the request. */
const SIZABLE = 16 * 1024;

/** From here on what a body leaves behind is collected at once: left to itself, Bun lets several of them pile up. */
const LARGE = 4 * 1024 * 1024;
const HUGE = 16 * 1024 * 1024;
/** What memory is set aside for before it came. */
const LARGEST = 512 * 1024 * 1024;

/** The headers that describe a body, by lower-case name. */
type DescribingHeaders = Readonly<Partial<Record<'content-length' | 'content-type' | 'content-encoding', string | undefined>>>;

const JSON_TYPE = /^application\/json\b/i;
const NOTHING = new Uint8Array();

/** The client's body: bytes as they came until a plugin replaces them; streamed when no plugin reads it. */
export class ClientBody implements RequestBody {
  readonly #request: Request;
  readonly #headers: DescribingHeaders;
  #bytes: Promise<Uint8Array<ArrayBuffer>> | null = null;
  #reading: Promise<string> | null = null;
  #text: string | null = null;
  #json: { readonly value: Json | undefined } | null = null;
  #longStrings: Promise<LongStrings | null> | null = null;
  #replaced = false;
  #size = 0;
  #plainSize = 0;

  /** The headers may change later: what they say of the body is kept. */
  constructor(request: Request, headers: DescribingHeaders) {
    this.#request = request;
    this.#headers = {
      'content-length': headers['content-length'],
      'content-type': headers['content-type'],
      'content-encoding': headers['content-encoding'],
    };
  }

  /** Bytes that were read here. */
  get size(): number {
    return this.#size;
  }

  /** A plugin put another text in its place: it is plain and of another length. */
  get replaced(): boolean {
    return this.#replaced;
  }

  async text(limit: number): Promise<string> {
    return this.#keep(await this.#read(limit), limit);
  }

  async json(limit: number): Promise<Json | undefined> {
    const apart = this.#longStrings && (await this.#longStrings);
    if (apart !== null && !this.#replaced) {
      this.#json ??= { value: apart.json() };
      return this.#json.value;
    }
    const text = this.#keep(await this.#read(limit), limit);
    this.#json ??= { value: parseJson(text) };
    return this.#json.value;
  }

  longStrings(limit: number, use: 'read' | 'pass on'): Promise<LongStrings | null> | null {
    const length = this.#declaredLength();
    if (length >= (use === 'read' ? LARGE : SIZABLE) && length <= LARGEST && !this.#isRead() && this.#isPlainJson()) {
      this.#longStrings ??= length < LARGE ? this.#cutText(limit) : this.#cutBytes(limit).finally(() => Bun.gc(true));
    }
    return this.#replaced ? null : this.#longStrings;
  }

  async bytes(limit: number): Promise<Uint8Array> {
    if (this.#isText()) return new TextEncoder().encode(await this.text(limit));
    if (!this.#replaced && limit > 0 && this.#declaredLength() > limit) throw tooLarge();
    this.#bytes ??= this.#readBytes(limit);
    const bytes = await this.#bytes;
    if (limit > 0 && bytes.length > limit) throw tooLarge();
    return bytes;
  }

  replace(content: string | Uint8Array<ArrayBuffer>): void {
    const isText = typeof content === 'string';
    this.#text = isText ? content : null;
    this.#reading = null;
    this.#bytes = isText ? null : Promise.resolve(content);
    this.#json = null;
    this.#longStrings = null;
    this.#replaced = true;
  }

  /** While the upstream is at work the text is enough: of a body of megabytes, what it parses to would outlive many collections. */
  forgetParsed(): void {
    this.#json = null;
  }

  /** What to send upstream. Null: nothing. A stream can be sent only once. */
  async toSend(): Promise<string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null> {
    if (this.#isText()) return this.text(0);
    if (this.#bytes === null) {
      const length = this.#declaredLength();
      if (length === 0 && this.#isCounted) return null;
      // Bun lets go of the body of a GET: what is null here was not kept.
      if (!(length > 0 && length <= SMALL)) return this.#request.body;
      this.#bytes = this.#readBytes(0);
    }
    const bytes = await this.#bytes;
    return bytes.length === 0 ? null : bytes;
  }

  #declaredLength(): number {
    return Number(this.#headers['content-length'] ?? 0);
  }

  /** It says how long it is. Else it comes in chunks, over HTTP/2, or not at all. */
  get #isCounted(): boolean {
    return this.#headers['content-length'] !== undefined;
  }

  #read(limit: number): string | Promise<string> {
    if (!this.#replaced && limit > 0 && this.#declaredLength() > limit) throw tooLarge();
    if (this.#text !== null) return this.#text;
    this.#reading ??= this.#readText(limit);
    return this.#reading;
  }

  #keep(text: string, limit: number): string {
    if (this.#text === null) {
      this.#text = text;
      if (text.length >= LARGE) Bun.gc(true);
    }
    // An earlier plugin may have read more than this one may.
    if (!this.#replaced && limit > 0 && Math.max(this.#size, this.#plainSize) > limit) throw tooLarge();
    return this.#text;
  }

  #isRead(): boolean {
    return this.#bytes !== null || this.#text !== null || this.#reading !== null;
  }

  /** What there is of the body is its text. */
  #isText(): boolean {
    return this.#bytes === null && (this.#text !== null || this.#reading !== null || this.#longStrings !== null);
  }

  async #cutText(limit: number): Promise<LongStrings | null> {
    const apart = LongStrings.ofText(this.#keep(await this.#read(limit), limit));
    return apart.count > 0 ? apart : null;
  }

  async #cutBytes(limit: number): Promise<LongStrings | null> {
    if (limit > 0 && this.#declaredLength() > limit) throw tooLarge();
    const bytes = await this.#readBinary();
    this.#size = bytes.length;
    this.#plainSize = bytes.length;
    const apart = LongStrings.ofBytes(bytes.startsWith(BINARY_MARK) ? bytes.slice(BINARY_MARK.length) : bytes);
    if (apart.count > 0) return apart;
    this.#text = apart.text;
    return null;
  }

  /** A character for each byte: in memory a text is that small only while it has no others. */
  async #readBinary(): Promise<string> {
    const bytes = Buffer.allocUnsafeSlow(this.#declaredLength());
    let size = 0;
    for await (const chunk of this.#request.body ?? []) {
      bytes.set(chunk, size);
      size += chunk.length;
    }
    // What they came in would be there beside what follows. A collection costs as much as to read some megabytes.
    if (size >= HUGE) Bun.gc(true);
    return bytes.toString('latin1');
  }

  #readText(limit: number): Promise<string> {
    if (this.#longStrings !== null) return this.#longStrings.then(apart => apart?.whole(apart.text) ?? this.#text ?? '');
    if (this.#bytes !== null || !this.#isPlainJson()) return this.#decodeText(limit);
    this.#size = this.#declaredLength();
    this.#plainSize = this.#size;
    return this.#request.text();
  }

  async #decodeText(limit: number): Promise<string> {
    this.#bytes ??= this.#readBytes(limit);
    const bytes = await this.#bytes;
    const encoding = (this.#replaced ? null : this.#headers['content-encoding']) ?? null;
    const plain = isEncoded(encoding) ? await decode(bytes, encoding, limit) : bytes;
    this.#plainSize = plain.length;
    return textOf(plain);
  }

  /** JSON of a known length is text as it comes: its bytes need not be kept beside it. */
  #isPlainJson(): boolean {
    const { 'content-type': type, 'content-length': length, 'content-encoding': encoding } = this.#headers;
    return type !== undefined && JSON_TYPE.test(type) && length !== undefined && !isEncoded(encoding);
  }

  async #readBytes(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = limit === 0 || this.#isCounted ? await this.#request.bytes() : await readAtMost(this.#request.body, limit);
    this.#size = bytes.length;
    return bytes as Uint8Array<ArrayBuffer>;
  }
}

/** Without the byte order mark that some put first. A Buffer decodes several times faster than a TextDecoder. */
function textOf(bytes: Uint8Array): string {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8', start);
}

/** A byte order mark, a character for each byte. */
const BINARY_MARK = '\xef\xbb\xbf';

const tooLarge = () => new RequestFailure(413, FAILURES[413]);

async function decode(bytes: Uint8Array, encoding: string, limit: number): Promise<Uint8Array> {
  try {
    return await decodeBytes(bytes, encoding, limit);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    if (error.reason === 'too large') throw tooLarge();
    throw new RequestFailure(error.reason === 'unknown' ? 415 : 400, error.message);
  }
}

/** A body that does not say how long it is: no more of it is kept than may be. */
async function readAtMost(body: ReadableStream<Uint8Array> | null, limit: number): Promise<Uint8Array> {
  if (body === null) return NOTHING;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
