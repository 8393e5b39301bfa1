import { appendFile, close, open } from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);
const append = promisify(appendFile);

/**
 * Open already: under systemd these are sockets, which cannot be opened by name. Others write to them too, and Bun has them
 * not block: a write of our own would stop halfway where the reader is slow.
 */
const STREAMS: Readonly<Record<string, () => NodeJS.WritableStream>> = {
  '/dev/stdout': () => process.stdout,
  '/dev/stderr': () => process.stderr,
};

/** Adds text to the end of a file, off the event loop. One call at a time. */
export interface Appender {
  /** Opens the file, or creates it, when it is not open. Rejects with the system's reason. */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** `reopen`: for each call, so that a file that was moved away or removed is made anew. Otherwise the open file goes on, whatever its name. */
export function openAppender(path: string, reopen: boolean): Appender {
  let descriptor: number | undefined;
  let closed = false;

  async function close() {
    const open = descriptor;
    descriptor = undefined;
    if (open !== undefined) await closeFile(open);
  }

  return {
    async append(text) {
      const stream = STREAMS[path];
      if (stream !== undefined) return write(stream(), text);
      descriptor ??= await openFile(path, 'a', 0o644);
      try {
        await append(descriptor, text);
      } finally {
        if (reopen || closed) await close();
      }
    },
    async close() {
      closed = true;
      await close();
    },
  };
}

function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, error => (error ? reject(error) : resolve()));
  });
}
