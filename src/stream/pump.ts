/** What becomes of each network chunk. An empty result writes nothing. */
export interface Stage {
  chunk(bytes: Uint8Array): Uint8Array | string;
  /** The source came to its end. */
  end?(): Uint8Array | string;
  /** The source broke off, or `chunk` or `end` threw: the last words, or a throw to break off as well. */
  failed?(error: unknown): Uint8Array | string;
  /** Once, however it ended: also when the reader left. */
  done?(): void;
}

/**
 * Runs a body through a stage: one write per network chunk in, read only as fast as the client reads.
 * A pull stream and no generator: a client that leaves cancels the source at once, also while the source is silent.
 */
export function pump(source: ReadableStream<Uint8Array>, stage: Stage): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const encoder = new TextEncoder();
  let left = false;

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { value, done } = await reader.read();
            if (left) return;
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
        stage.done?.();
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

  function finish(controller: ReadableStreamDefaultController<Uint8Array>) {
    stage.done?.();
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
      stage.done?.();
      controller.error(reason);
    }
  }
}
