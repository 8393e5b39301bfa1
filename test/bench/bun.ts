// The least that a gateway on Bun does: it has the whole body of a request as text, sends it on with a key, and lets the answer pass.
// Arguments: its port, and the upstream's URL.
const [port, url = ''] = process.argv.slice(2);

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  development: false,
  idleTimeout: 0,
  async fetch(request) {
    const { host, 'content-length': length, ...headers } = request.headers.toJSON();
    const body = await request.text();
    return fetch(url, { method: 'POST', headers: { ...headers, authorization: 'Bearer x' }, body, decompress: false, timeout: false });
  },
});
