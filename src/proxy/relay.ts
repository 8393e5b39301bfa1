import type { Socket, SocketHandler } from 'bun';

/**
 * One end of a connection that passes through here as bytes. What the other end cannot take yet waits there, and this end is
 * not read meanwhile.
 */
export class RelayEnd {
  socket: Socket<RelayEnd> | null = null;
  other: RelayEnd | null = null;
  #waiting: Uint8Array | null = null;
  #isEnding = false;

  /** The socket is there, and can take what waits. */
  open(socket: Socket<RelayEnd>): void {
    this.socket = socket;
    this.drained();
  }

  /** Bytes for the other end. */
  received(bytes: Uint8Array): void {
    if (this.other?.write(bytes) === false) this.socket?.pause();
  }

  /** Whether all of it went out. */
  write(bytes: Uint8Array): boolean {
    if (this.#waiting !== null) {
      this.#waiting = Buffer.concat([this.#waiting, bytes]);
      return false;
    }
    const written = Math.max(this.socket?.write(bytes) ?? 0, 0);
    if (written === bytes.length) return true;
    this.#waiting = bytes.subarray(written);
    return false;
  }

  drained(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null && !this.write(waiting)) return;
    if (this.#isEnding) this.socket?.end();
    else this.other?.socket?.resume();
  }

  /** The other end is gone: what it has sent may still go out. */
  end(): void {
    this.#isEnding = true;
    if (this.#waiting === null) this.socket?.end();
  }
}

/** What both ends do once they know each other. */
export const relaying: Pick<SocketHandler<RelayEnd>, 'data' | 'drain' | 'close' | 'error'> = {
  data: ({ data: end }, bytes) => end.received(bytes),
  drain: ({ data: end }) => end.drained(),
  close: ({ data: end }) => end.other?.end(),
  error() {},
};
