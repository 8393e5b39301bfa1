/** A request that the gateway itself refuses or cannot carry out: its status, and the text the client reads. */
export class RequestFailure extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
