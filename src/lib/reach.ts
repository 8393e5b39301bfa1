/** Resolves once a TCP connection could be made, which is closed at once. Rejects with what was in the way, and when told to stop. */
export function reach(hostname: string, port: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => reject(signal.reason));
  const socket = {
    open(opened: Bun.Socket) {
      resolve();
      opened.end();
    },
    data() {},
    connectError: (_: Bun.Socket, error: Error) => reject(error),
    error: (_: Bun.Socket, error: Error) => reject(error),
  };
  Bun.connect({ hostname, port, socket }).catch(reject);
  return promise;
}
