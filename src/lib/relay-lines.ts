import type { Output } from './output.ts';

const NEWLINE = 10;

/** Copies one stream into another, whole lines at a time, no faster than they are taken: several may go into the same one. */
export async function relayLines(from: ReadableStream<Uint8Array>, to: Pick<Output, 'write'>): Promise<void> {
  let parts: Uint8Array[] = [];
  for await (const bytes of from) {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      await give(to, Buffer.concat([...parts, bytes.subarray(0, end)]));
      parts = [];
    }
    if (end < bytes.length) parts.push(bytes.slice(end));
  }
  if (parts.length > 0) await give(to, Buffer.concat([...parts, Uint8Array.of(NEWLINE)]));
}

/** A reader that has gone must not keep the writer: what it does not take is lost. */
const give = (to: Pick<Output, 'write'>, bytes: Uint8Array): Promise<void> => to.write(bytes).catch(() => {});
