/** An HTTP server that keeps what it is sent, and answers with the statuses it is given, the last one for good. */
export function openCollector(...statuses: number[]) {
  const requests: { method: string; path: string; headers: Headers; body: string; bytes: Uint8Array; address: string }[] = [];
  const waiting: (() => void)[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request, { requestIP }) {
      const { pathname, search } = new URL(request.url);
      const peer = requestIP.call(server, request);
      const bytes = await request.bytes();
      requests.push({
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        body: new TextDecoder().decode(bytes),
        bytes,
        address: `${peer?.address}:${peer?.port}`,
      });
      for (const look of waiting.splice(0)) look();
      const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
      return new Response('noted', { status, headers: { location: '/elsewhere' } });
    },
  });
  return {
    requests,
    authority: `127.0.0.1:${server.port}`,
    /** The requests, once there are so many. */
    async received(count: number) {
      while (requests.length < count) await new Promise<void>(resolve => waiting.push(resolve));
      return requests;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
