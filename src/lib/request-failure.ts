/** A request that the gateway itself refuses or cannot carry out: its status, the text the client reads, and headers that go with it. */
export class RequestFailure extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** In Kong's words, what a client is told of what is not its fault and not its business. */
export const unexpectedFailure = (): RequestFailure => new RequestFailure(500, 'An unexpected error occurred');
