import type { FileHandle } from 'node:fs/promises';
import { node } from './node.ts';
import { type Output, stderr, stdout } from './output.ts';

/** Open already: under systemd these are sockets, which cannot be opened by name. Others write to them too. */
const OUTPUTS: Readonly<Record<string, Output>> = { '/dev/stdout': stdout, '/dev/stderr': stderr };

/** Adds text to the end of a file, off the event loop. One call at a time. */
export interface Appender {
  /** Opens the file, or creates it, when it is not open. Rejects with the system's reason. */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** `reopen`: for each call, so that a file that was moved away or removed is made anew. Otherwise the open file goes on, whatever its name. */
export function openAppender(path: string, reopen: boolean): Appender {
  let file: FileHandle | undefined;
  let closed = false;

  async function close() {
    const open = file;
    file = undefined;
    await open?.close();
  }

  return {
    async append(text) {
      const output = OUTPUTS[path];
      if (output !== undefined) return output.write(text);
      file ??= await node.files.open(path, 'a', 0o644);
      try {
        await file.appendFile(text);
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
