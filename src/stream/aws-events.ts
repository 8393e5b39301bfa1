import type { Decode, Frame } from './frame.ts';

/** Loaded with the first stream: at the start of the gateway it would take as long as all the rest. */
type Codec = typeof import('@smithy/eventstream-codec');
const loadCodec = () => require('@smithy/eventstream-codec') as Codec;

/** Bytes that say how long a message is, itself included. */
const LENGTH_BYTES = 4;
/** The lengths, the headers' and the whole message's checksums, and no more. */
const LEAST_BYTES = 16;
/** https://smithy.io/2.0/aws/amazon-eventstream.html */
const MOST_BYTES = 24 * 1024 * 1024;

/**
 * Decodes `application/vnd.amazon.eventstream`: https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
 * A frame has the event's type for its name; that of an exception or an error begins with `exception:`.
 * Throws for a message whose checksums are wrong.
 */
export function decodeAwsEvents(): Decode {
  const { EventStreamCodec } = loadCodec();
  const codec = new EventStreamCodec(
    bytes => new TextDecoder().decode(bytes),
    text => new TextEncoder().encode(text),
  );
  /** The length of a message, then the whole message with its length. */
  let part: Uint8Array = new Uint8Array(LENGTH_BYTES);
  let filled = 0;

  return chunk => {
    const frames: Frame[] = [];
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + part.length - filled);
      part.set(taken, filled);
      at += taken.length;
      filled += taken.length;
      if (filled < part.length) continue;
      if (part.length === LENGTH_BYTES) {
        part = messageBegunBy(part);
      } else {
        frames.push(toFrame(codec.decode(part)));
        part = new Uint8Array(LENGTH_BYTES);
        filled = 0;
      }
    }
    return frames;
  };
}

function messageBegunBy(bytes: Uint8Array): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length < LEAST_BYTES || length > MOST_BYTES) throw new Error(`a message of ${length} bytes`);
  const message = new Uint8Array(length);
  message.set(bytes);
  return message;
}

type Message = ReturnType<InstanceType<Codec['EventStreamCodec']>['decode']>;

function toFrame({ headers, body }: Message): Frame {
  const header = (name: string) => String(headers[name]?.value ?? '');
  switch (header(':message-type')) {
    case 'exception':
      return { event: `exception:${header(':exception-type')}`, data: new TextDecoder().decode(body) };
    case 'error':
      return { event: `exception:${header(':error-code')}`, data: JSON.stringify({ message: header(':error-message') }) };
    default:
      return { event: header(':event-type'), data: new TextDecoder().decode(body) };
  }
}
