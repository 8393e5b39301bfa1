/** A request as the upstream saw it. It grows while it arrives. */
export class ReceivedRequest {
  /** Counted from 1 over all connections. */
  readonly number: number;
  /** Counted from 1. */
  readonly connection: number;
  readonly method: string;
  /** As on the wire, with its query. */
  readonly target: string;
  /** In order, with their case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  bodyLength = 0;
  /** The body arrived whole. */
  complete = false;
  /** Bytes of the answer that the socket took. */
  sent = 0;
  /** The connection is gone, whoever closed it. */
  closed = false;
  readonly #pieces: Uint8Array[] = [];

  constructor(number: number, connection: number, head: string) {
    const [first = '', ...lines] = head.split('\r\n');
    this.number = number;
    this.connection = connection;
    [this.method = '', this.target = ''] = first.split(' ');
    this.headers = lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
  }

  /** The value of a header, its name in any case; undefined when it did not come. */
  header(name: string): string | undefined {
    return this.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  }

  get body(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  text(): string {
    return this.body.toString();
  }

  json(): unknown {
    return JSON.parse(this.text());
  }

  append(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.bodyLength += bytes.length;
  }
}

/** Cuts the bytes of one connection into requests; `begun` makes the request whose head is given. */
export class RequestDecoder {
  readonly #begun: (head: string) => ReceivedRequest;
  readonly #complete: (request: ReceivedRequest) => void;
  #pending = Buffer.alloc(0);
  #request: ReceivedRequest | null = null;
  /** Bytes left of the body, or of the chunk; -1 when a chunk's size line comes next. */
  #left = 0;
  #chunked = false;

  constructor(begun: (head: string) => ReceivedRequest, complete: (request: ReceivedRequest) => void) {
    this.#begun = begun;
    this.#complete = complete;
  }

  feed(bytes: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#request === null ? this.#readHead() : this.#readBody(this.#request));
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const request = this.#begun(this.#take(end).toString('latin1'));
    this.#take(4);
    this.#request = request;
    this.#chunked = request.header('transfer-encoding')?.toLowerCase() === 'chunked';
    this.#left = this.#chunked ? -1 : Number(request.header('content-length') ?? 0);
    if (this.#left === 0) this.#finish(request);
    return true;
  }

  #readBody(request: ReceivedRequest): boolean {
    if (this.#left === -1) {
      const end = this.#pending.indexOf('\r\n');
      if (end < 0) return false;
      const size = Number.parseInt(this.#pending.subarray(0, end).toString('latin1'), 16);
      if (size === 0) {
        if (this.#pending.length < end + 4) return false;
        this.#take(end + 4);
        this.#finish(request);
        return true;
      }
      this.#take(end + 2);
      this.#left = size;
    }
    if (this.#left > 0) {
      const piece = this.#take(Math.min(this.#left, this.#pending.length));
      this.#left -= piece.length;
      if (piece.length > 0) request.append(piece);
    }
    if (this.#left > 0) return false;
    if (!this.#chunked) {
      this.#finish(request);
      return true;
    }
    if (this.#pending.length < 2) return false;
    this.#take(2);
    this.#left = -1;
    return true;
  }

  #finish(request: ReceivedRequest) {
    request.complete = true;
    this.#request = null;
    this.#complete(request);
  }

  #take(length: number): Buffer {
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }
}
