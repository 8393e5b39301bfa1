const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** The longest end of an event: a line's end and an empty line, each of two bytes. */
const LONGEST_END = 4;
/** Longer than any event that vendors send; a peer that never ends one must not fill the memory. */
const MOST_BYTES = 64 * 1024 * 1024;

const NOTHING: Uint8Array = new Uint8Array();

/** Passes the bytes of an event stream on in whole events: what a chunk begins waits for the one that ends it. */
export interface WholeEvents {
  take(chunk: Uint8Array): Uint8Array;
  /** What waits still, once the stream is over. */
  rest(): Uint8Array;
}

export function wholeEvents(): WholeEvents {
  let held: Uint8Array[] = [];
  let length = 0;
  /** The last bytes held: an end may lie across two chunks. */
  let tail = NOTHING;

  return {
    take(chunk) {
      const end = endOfLastEvent(chunk) || endAcross(chunk);
      if (held.length === 0 && end === chunk.length) return chunk;
      if (end === 0) {
        hold(chunk);
        return NOTHING;
      }
      const whole = Buffer.concat([...held, chunk.subarray(0, end)]);
      release();
      if (end < chunk.length) hold(chunk.subarray(end));
      return whole;
    },

    rest() {
      const rest = Buffer.concat(held);
      release();
      return rest;
    },
  };

  function endAcross(chunk: Uint8Array): number {
    const across = Buffer.concat([tail, chunk.subarray(0, LONGEST_END - 1)]);
    return Math.max(0, endOfLastEvent(across) - tail.length);
  }

  function hold(bytes: Uint8Array) {
    length += bytes.length;
    if (length > MOST_BYTES) throw new Error(`an event longer than ${MOST_BYTES} bytes`);
    held.push(bytes);
    tail = Buffer.concat([tail, bytes.subarray(-(LONGEST_END - 1))]).subarray(-(LONGEST_END - 1));
  }

  function release() {
    held = [];
    length = 0;
    tail = NOTHING;
  }
}

/** Cuts whole events one from the other. */
export function splitEvents(bytes: Uint8Array): Uint8Array[] {
  const events: Uint8Array[] = [];
  let start = 0;
  for (let at = 1; at <= bytes.length; at += 1) {
    if (!isEndOfEvent(bytes, at) || isSplitLineEnd(bytes, at)) continue;
    events.push(bytes.subarray(start, at));
    start = at;
  }
  if (start < bytes.length) events.push(bytes.subarray(start));
  return events;
}

function endOfLastEvent(bytes: Uint8Array): number {
  for (let at = bytes.length; at > 1; at -= 1) if (isEndOfEvent(bytes, at)) return at;
  return 0;
}

const isLineEnd = (byte: number | undefined) => byte === LINE_FEED || byte === CARRIAGE_RETURN;
const isSplitLineEnd = (bytes: Uint8Array, at: number) => bytes[at - 1] === CARRIAGE_RETURN && bytes[at] === LINE_FEED;

/** An empty line ends just before `at`. */
function isEndOfEvent(bytes: Uint8Array, at: number): boolean {
  if (!isLineEnd(bytes[at - 1])) return false;
  const start = at > 1 && isSplitLineEnd(bytes, at - 1) ? at - 2 : at - 1;
  return start > 0 && isLineEnd(bytes[start - 1]);
}
