import type { Decode, Frame } from './frame.ts';

/** Longer than any line that vendors send; a peer that never ends one must not fill the memory. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** Decodes a stream of one JSON text a line: https://github.com/ndjson/ndjson-spec */
export function decodeJsonLines(mostCharacters = MOST_CHARACTERS): Decode {
  const text = new TextDecoder();
  let held: string[] = [];
  let length = 0;

  return chunk => {
    const lines = text.decode(chunk, { stream: true }).split('\n');
    const rest = lines.pop() ?? '';
    const frames: Frame[] = [];
    for (const line of lines) {
      const data = held.join('') + line;
      held = [];
      length = 0;
      if (data.trim() !== '') frames.push({ event: 'message', data });
    }
    length += rest.length;
    if (length > mostCharacters) throw new Error(`a line longer than ${mostCharacters} characters`);
    if (rest !== '') held.push(rest);
    return frames;
  };
}
