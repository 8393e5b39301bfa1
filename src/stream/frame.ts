/** One unit of a vendor's stream: a server-sent event, a line of JSON, an element of an array, an AWS message. */
export interface Frame {
  /** The event's name; `message` when it has none. */
  readonly event: string;
  readonly data: string;
}

/** Takes each network chunk and gives the frames it completes. State lives in the closure; linear in the bytes. */
export type Decode = (chunk: Uint8Array) => Frame[];
