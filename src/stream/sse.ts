import { createParser } from 'eventsource-parser';
import type { Decode, Frame } from './frame.ts';

/** Longer than any event that vendors send, image parts included; a peer that never ends one must not fill the memory. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** Decodes an event stream as the standard says: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function decodeSse(mostCharacters = MOST_CHARACTERS): Decode {
  // The parser takes the byte order mark away; two decoders doing it would take a second one as well.
  const text = new TextDecoder('utf-8', { ignoreBOM: true });
  let frames: Frame[] = [];
  const parser = createParser({
    maxBufferSize: mostCharacters,
    onEvent: ({ event, data }) => frames.push({ event: event ?? 'message', data }),
    onError: error => {
      if (error.type === 'max-buffer-size-exceeded') throw error;
    },
  });

  return chunk => {
    frames = [];
    parser.feed(text.decode(chunk, { stream: true }));
    return frames;
  };
}

/** One event without a name. `data` holds no line breaks, as JSON never does. */
export const encodeSse = (data: string): string => `data: ${data}\n\n`;
