import { expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, rmSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { startAiGateway } from '../support/ai-gateway.ts';
import { type DatagramSocket, openDatagramSocket, python } from '../support/datagram-socket.ts';
import { openLineServer } from '../support/line-server.ts';

setDefaultTimeout(30_000);

/** The socket of this machine's syslog, where none has it: a test may be it. */
const SYSLOG = '/dev/log';

/** What every log plugin says of the exchange with the model. */
const ENTRY = {
  request: { method: 'POST', uri: '/chat' },
  response: { status: 200 },
  upstream_status: '200',
  route: { name: 'chat' },
  service: { name: 'ai' },
  source: 'upstream',
  workspace_name: 'default',
  ai: {
    proxy: {
      meta: { provider_name: 'openai', request_model: 'gpt-4', response_model: 'gpt-4-0613', request_mode: 'stream' },
      usage: { usage_source: 'provider', prompt_tokens: 11, completion_tokens: 5, total_tokens: 16, cost: 0.021 },
    },
  },
};

test.each([false, true])('tcp-log has a streamed answer of a model with what it cost; over TLS: %p', async tls => {
  using server = openLineServer({ tls });
  await using ai = await startAiGateway([{ name: 'tcp-log', config: { host: '127.0.0.1', port: server.port, tls } }]);
  expect(await ai.chat()).toEndWith('data: [DONE]\n\n');
  const [line = ''] = await server.received(1);
  expect(JSON.parse(line)).toMatchObject(ENTRY);
  expect(line).not.toContain('secret-key');
});

test('udp-log has it', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const receiver = await Bun.udpSocket({ hostname: '127.0.0.1', socket: { data: (_, datagram) => resolve(datagram.toString()) } });
  await using ai = await startAiGateway([{ name: 'udp-log', config: { host: 'localhost', port: receiver.port } }]);
  await ai.chat();
  expect(JSON.parse(await promise)).toMatchObject(ENTRY);
  receiver.close();
});

const isFree = !existsSync(SYSLOG) && process.getuid?.() === 0;
if (!isFree) console.log(`skipped: needs root, and a machine where nobody listens on ${SYSLOG}`);

/** Another run of this test may be it at the moment. */
async function becomeSyslog(): Promise<DatagramSocket> {
  for (;;) {
    const socket = await openDatagramSocket(SYSLOG).catch(() => null);
    if (socket !== null) return socket;
    await Bun.sleep(100);
  }
}

test.skipIf(!python || !isFree)('syslog has it', async () => {
  using socket = await becomeSyslog();
  try {
    await using ai = await startAiGateway([{ name: 'syslog', config: { facility: 'local3', successful_severity: 'notice' } }]);
    await ai.chat();
    const [, head, , entry = ''] = /^(<\d+>)(.{15}) kong: (.*)$/.exec(await socket.next()) ?? [];
    expect(head).toBe(`<${19 * 8 + 5}>`);
    expect(JSON.parse(entry)).toMatchObject(ENTRY);
  } finally {
    rmSync(SYSLOG, { force: true });
  }
});

test('the log says what a connection over TLS came to', async () => {
  using server = openLineServer();
  const listen = { SLUICE_PROXY_LISTEN: '127.0.0.1:0 ssl' };
  await using ai = await startAiGateway([{ name: 'tcp-log', config: { host: '127.0.0.1', port: server.port } }], listen);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { hostname, port } = new URL(ai.gateway.proxy);
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false, maxVersion }, resolve);
    await promise;
    const agreed = { version: socket.getProtocol(), cipher: socket.getCipher().name };
    socket.write('POST /chat HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{}');
    const lines = await server.received(maxVersion === 'TLSv1.2' ? 1 : 2);
    expect(JSON.parse(lines.at(-1) ?? '').request.tls).toEqual({ ...agreed, client_verify: 'NONE' });
    expect(agreed.version).toBe(maxVersion);
    socket.destroy();
  }
});

test('a server of logs that is gone stops no request, and the gateway ends in time', async () => {
  const gone = openLineServer();
  gone[Symbol.dispose]();
  const ai = await startAiGateway([{ name: 'tcp-log', config: { host: '127.0.0.1', port: gone.port } }]);
  expect(await ai.chat()).toEndWith('data: [DONE]\n\n');
  await ai.gateway.logged(({ message }) => message.includes('could not send, will try again'));
  expect(await ai.gateway.stop()).toBe(0);
  ai.vendor.stop();
});

test('custom_fields_by_lua is refused with what to do instead, and an empty one is taken', async () => {
  await using ai = await startAiGateway([]);
  for (const [name, config] of Object.entries({
    'tcp-log': { host: '127.0.0.1', port: 1 },
    'udp-log': { host: '127.0.0.1', port: 1 },
    'http-log': { http_endpoint: 'http://127.0.0.1:1' },
    'file-log': { path: '/dev/null' },
    syslog: {},
  })) {
    const write = (custom_fields_by_lua: object) =>
      ai.gateway.request('POST', '/plugins', { name, config: { ...config, custom_fields_by_lua } });
    const refused = await write({ region: "return 'eu'" });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toContain('this gateway runs no Lua: leave it out, and shape entries where they arrive');
    expect((await write({})).status).toBe(201);
  }
});
