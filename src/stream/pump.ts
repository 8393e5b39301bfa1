import { type Deadline, Deadlines } from '../lib/deadlines.ts';

/** What becomes of each network chunk. An empty result writes nothing. */
export interface Stage {
  chunk(bytes: Uint8Array): Uint8Array | string;
  /** The source came to its end. */
  end?(): Uint8Array | string;
  /** The source broke off, or `chunk` or `end` threw: the last words, or a throw to break off as well. */
  failed?(error: unknown): Uint8Array | string;
  /** Once, however it ended: also when the reader left. */
  done?(): void;
  /** Written when the source is silent for a while, after whatever `chunk` gave last. */
  readonly keepAlive?: string;
}

/** When a source is silent: load balancers give up after a minute, some after half of one. */
export interface Silence {
  readonly deadlines: Deadlines;
  readonly milliseconds: number;
}
const SILENCE: Silence = { deadlines: new Deadlines(1000), milliseconds: 15_000 };

/**
 * Runs a body through a stage: one write per network chunk in, read only as fast as the client reads.
 * A pull stream and no generator: a client that leaves cancels the source at once, also while the source is silent.
 */
export function pump(source: ReadableStream<Uint8Array>, stage: Stage, silence = SILENCE): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const encoder = new TextEncoder();
  let left = false;
  /** The reader waits for the source, which keeps it waiting until the deadline. */
  let waiting = false;
  let deadline: Deadline | null = null;

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const { keepAlive } = stage;
        if (keepAlive !== undefined) deadline = openDeadline(controller, encoder.encode(keepAlive));
      },
      async pull(controller) {
        try {
          for (;;) {
            waiting = true;
            const { value, done } = await reader.read();
            waiting = false;
            if (left) return;
            deadline?.move(silence.milliseconds);
            const written = write(controller, done ? (stage.end?.() ?? '') : stage.chunk(value));
            if (done) return finish(controller);
            if (written) return;
          }
        } catch (error) {
          if (!left) breakOff(controller, error);
        }
      },
      cancel(reason) {
        left = true;
        over();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );

  function write(controller: ReadableStreamDefaultController<Uint8Array>, part: Uint8Array | string): boolean {
    const bytes = typeof part === 'string' ? encoder.encode(part) : part;
    if (bytes.length > 0) controller.enqueue(bytes);
    return bytes.length > 0;
  }

  function openDeadline(controller: ReadableStreamDefaultController<Uint8Array>, keepAlive: Uint8Array): Deadline {
    const expire = () => {
      // A reader that has not taken the last one is not waiting.
      if (waiting && controller.desiredSize === 0) controller.enqueue(keepAlive);
      deadline = openDeadline(controller, keepAlive);
    };
    return silence.deadlines.open({ expire }, silence.milliseconds);
  }

  function over() {
    deadline?.close();
    stage.done?.();
  }

  function finish(controller: ReadableStreamDefaultController<Uint8Array>) {
    over();
    controller.close();
  }

  function breakOff(controller: ReadableStreamDefaultController<Uint8Array>, error: unknown) {
    // The source may be what failed: that its cancelling fails too is no news.
    void reader.cancel(error).catch(() => {});
    try {
      if (stage.failed === undefined) throw error;
      write(controller, stage.failed(error));
      finish(controller);
    } catch (reason) {
      over();
      controller.error(reason);
    }
  }
}
