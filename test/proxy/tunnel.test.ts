import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { ServerWebSocket } from 'bun';
import { WebSocket } from 'ws';
import type { Phases } from '../../src/plugins/plugin.ts';
import { startUpstream } from '../support/upstream.ts';
import { exchange, rawClient, type Setting, startGateway } from './gateway.ts';

type Side = ServerWebSocket<Peer>;
interface Peer {
  readonly headers: Headers;
  readonly path: string;
}

/** An upstream that agrees to WebSockets, and says what it is told to. */
function startPeer(answer: Record<string, string> = {}) {
  const sockets: Side[] = [];
  const events: string[] = [];
  let look = () => {};
  const happened = (event: string) => {
    events.push(event);
    look();
  };
  let reply = (side: Side, message: string | Buffer) => void side.send(message);
  const server = Bun.serve<Peer>({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request, self) {
      const { pathname, search } = new URL(request.url);
      const data = { headers: request.headers, path: pathname + search };
      return self.upgrade(request, { headers: answer, data }) ? undefined : new Response('no upgrade', { status: 426 });
    },
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      backpressureLimit: 512 * 1024 * 1024,
      open: side => {
        sockets.push(side);
        happened('open');
      },
      message: (side, message) => reply(side, message),
      ping: (_, data) => happened(`ping ${data}`),
      pong: (_, data) => happened(`pong ${data}`),
      close: (_, code, reason) => happened(`close ${code} ${reason}`),
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    sockets,
    events,
    onMessage: (handler: typeof reply) => {
      reply = handler;
    },
    async saw(event: string): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      look = () => events.includes(event) && resolve();
      look();
      await promise;
    },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

type Started = ReturnType<typeof startGateway>;
const to = ({ port }: Started, protocols: string[] = [], options = {}) =>
  new WebSocket(`ws://127.0.0.1:${port}/chat?a=b%2Fc`, protocols, { perMessageDeflate: false, ...options });

const opened = (client: WebSocket) =>
  new Promise<WebSocket>((resolve, reject) => {
    client.on('open', () => resolve(client));
    client.on('error', reject);
  });
const closed = (client: WebSocket) =>
  new Promise<string>(resolve => {
    client.on('error', () => {});
    client.on('close', (code, reason) => resolve(`${code} ${reason}`));
  });
const next = (client: WebSocket) =>
  new Promise<readonly [Buffer, boolean]>(resolve => client.once('message', (data, isBinary) => resolve([data as Buffer, isBinary])));

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: h',
  'Connection: keep-alive, Upgrade',
  'Upgrade: WebSocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==',
];

const MESSAGES: Record<string, string | Buffer> = {
  'a text': 'grüße',
  'an empty text': '',
  bytes: Buffer.from([0, 255, 1, 254]),
  'no bytes': Buffer.alloc(0),
  'a text of 1 MiB': 'é'.repeat(512 * 1024),
  'bytes of 16 MiB': Buffer.alloc(16 * 1024 * 1024, 7),
};

test.each(Object.entries(MESSAGES))('%s goes there and comes back', async (_, message) => {
  using peer = startPeer();
  using gateway = startGateway({ url: peer.url });
  const client = await opened(to(gateway));
  const back = next(client);
  client.send(message);
  const [data, isBinary] = await back;
  expect([data.equals(Buffer.from(message as string)), isBinary]).toEqual([true, typeof message !== 'string']);
  client.terminate();
});

test('the upstream sees the request as any other', async () => {
  using peer = startPeer();
  using gateway = startGateway({ url: peer.url });
  const client = await opened(to(gateway, [], { headers: { 'x-own': 'mine', origin: 'http://page.test' } }));
  await peer.saw('open');
  const { headers, path } = (peer.sockets[0] as Side).data;
  expect([
    path,
    headers.get('x-own'),
    headers.get('origin'),
    headers.get('x-forwarded-for'),
    headers.get('sec-websocket-extensions'),
  ]).toEqual(['/chat?a=b%2Fc', 'mine', 'http://page.test', '127.0.0.1', null]);
  client.terminate();
});

describe('of subprotocols', () => {
  test.each([
    [['a', 'b'], { 'sec-websocket-protocol': 'b' }, 'b'],
    [['a'], { 'sec-websocket-protocol': 'a' }, 'a'],
    [[], {}, ''],
  ])('%j are offered, the upstream takes %j', async (offered, answer, taken) => {
    using peer = startPeer(answer as Record<string, string>);
    using gateway = startGateway({ url: peer.url });
    const client = await opened(to(gateway, offered as string[]));
    await peer.saw('open');
    expect([client.protocol, peer.sockets[0]?.data.headers.get('sec-websocket-protocol') ?? '']).toEqual([taken, offered.join(',')]);
    client.terminate();
  });

  test('an upstream that takes none of those offered has failed, as for browsers', async () => {
    const upstream = startUpstream();
    upstream.answer(request => {
      const accept = createHash('sha1')
        .update(`${request.header('sec-websocket-key')}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      return {
        head: `HTTP/1.1 101 Welcome\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nContent-Length: 0\r\n\r\n`,
        ending: 'silence',
        body: '',
      };
    });
    using gateway = startGateway({ url: upstream.url });
    const client = await rawClient(gateway.port);
    client.write(`${[...HANDSHAKE, 'Sec-WebSocket-Protocol: a'].join('\r\n')}\r\n\r\n`);
    expect(await client.shows('\r\n\r\n')).toStartWith('HTTP/1.1 502');
    client.leave();
    upstream.stop();
  });
});

describe('a client that closes', () => {
  test.each([
    [1000, 'done', 'close 1000 done'],
    [4001, 'own reason', 'close 4001 own reason'],
    [undefined, undefined, 'close 1005 '],
  ])('with %p %p is heard', async (code, reason, event) => {
    using peer = startPeer();
    using gateway = startGateway({ url: peer.url });
    const client = await opened(to(gateway));
    client.close(code, reason);
    await peer.saw(event);
    expect(gateway.passages.open).toBe(0);
  });

  test('by going away is heard', async () => {
    using peer = startPeer();
    using gateway = startGateway({ url: peer.url });
    const client = await opened(to(gateway));
    client.terminate();
    await peer.saw('close 1006 ');
    expect(gateway.passages.open).toBe(0);
  });
});

describe('an upstream that closes', () => {
  test.each([
    ['with a code', (side: Side) => side.close(4321, 'because'), '4321 because'],
    ['with an error', (side: Side) => side.close(1011, 'broken'), '1011 broken'],
    ['well', (side: Side) => side.close(), '1000 '],
    ['by going away', (side: Side) => side.terminate(), '1006 '],
    ['after a last word', (side: Side) => side.send('last') && side.close(1000, 'end'), '1000 end'],
  ])('%s is heard', async (_, act, expected) => {
    using peer = startPeer();
    using gateway = startGateway({ url: peer.url });
    const client = await opened(to(gateway));
    const said: string[] = [];
    client.on('message', data => said.push(String(data)));
    await peer.saw('open');
    const heard = closed(client);
    act(peer.sockets[0] as Side);
    expect(await heard).toBe(expected);
    expect(said).toEqual(expected === '1000 end' ? ['last'] : []);
  });

  test('as soon as it has opened', async () => {
    using peer = startPeer();
    peer.onMessage(() => {});
    using gateway = startGateway({ url: peer.url, plugins: [{ response: async () => void (await peer.saw('close 4000 early')) }] });
    const client = to(gateway);
    const heard = closed(client);
    await peer.saw('open');
    peer.sockets[0]?.send('first');
    peer.sockets[0]?.close(4000, 'early');
    expect(await heard).toMatch(/^(4000 early|1001 )/);
  });
});

test('pings of either side are answered, and keep the other side awake', async () => {
  using peer = startPeer();
  using gateway = startGateway({ url: peer.url });
  const client = await opened(to(gateway));
  const answered = new Promise<string>(resolve => client.on('pong', data => resolve(String(data))));
  client.ping('from client');
  expect(await answered).toBe('from client');
  await peer.saw('ping from client');
  peer.sockets[0]?.ping('from upstream');
  await peer.saw('pong from upstream');
  client.terminate();
});

describe('an upstream that does not agree', () => {
  test.each([
    ['says no', { status: 403, headers: { 'X-Why': 'closed' }, body: 'not today' }, ['HTTP/1.1 403', 'X-Why: closed', 'not today']],
    ['sends elsewhere', { status: 302, headers: { Location: '/other' }, body: '' }, ['HTTP/1.1 302', 'Location: /other']],
    ['answers as to any request', { status: 200, chunks: ['a', 'b'] }, ['HTTP/1.1 200', 'ab']],
    [
      'has another key',
      { head: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n' },
      ['HTTP/1.1 502'],
    ],
    ['speaks something else', { head: 'SSH-2.0-OpenSSH\r\n\r\n' }, ['HTTP/1.1 502']],
    ['hangs up', 'close', ['HTTP/1.1 502']],
  ] as const)('%s', async (_, answer, expected) => {
    const upstream = startUpstream();
    upstream.answer(answer as never);
    using gateway = startGateway({ url: upstream.url });
    const client = await rawClient(gateway.port);
    client.write(`${HANDSHAKE.join('\r\n')}\r\n\r\n`);
    for (const part of expected) expect((await client.shows(part)).toLowerCase()).toContain(part.toLowerCase());
    client.leave();
    upstream.stop();
  });

  test('is not there', async () => {
    using gateway = startGateway({ url: 'http://127.0.0.1:1' });
    expect(await exchange(gateway.port, HANDSHAKE.join('\r\n'))).toContain('HTTP/1.1 502');
    expect(gateway.passages.open).toBe(0);
  });

  test('does not answer', async () => {
    const upstream = startUpstream();
    upstream.answer('silence');
    using gateway = startGateway({ url: upstream.url, service: { connect_timeout: 10, read_timeout: 100, write_timeout: 10 } });
    expect(await exchange(gateway.port, HANDSHAKE.join('\r\n'))).toContain('HTTP/1.1 504');
    upstream.stop();
  });

  test('is left alone when the client leaves first', async () => {
    const upstream = startUpstream();
    upstream.answer('silence');
    using gateway = startGateway({ url: upstream.url });
    const client = await rawClient(gateway.port);
    client.write(`${HANDSHAKE.join('\r\n')}\r\n\r\n`);
    await upstream.begun();
    client.leave();
    await upstream.closed();
    upstream.stop();
  });
});

describe('plugins', () => {
  const start = (peer: { url: string }, ...plugins: Phases[]) => startGateway({ url: peer.url, plugins } satisfies Setting);

  test('may refuse before the upstream hears of it', async () => {
    using peer = startPeer();
    using gateway = start(peer, { access: () => new Response('no key', { status: 401 }) });
    expect(await exchange(gateway.port, HANDSHAKE.join('\r\n'))).toContain('HTTP/1.1 401');
    expect(peer.events).toEqual([]);
  });

  test('change the headers of both', async () => {
    using peer = startPeer();
    const access: Phases['access'] = ({ upstream }) => {
      upstream.headers['x-added'] = 'yes';
      return undefined;
    };
    using gateway = start(peer, { access, response: (_, response) => void response.headers.set('x-answer', String(response.status)) });
    const client = to(gateway);
    const headers = new Promise<Record<string, unknown>>(resolve =>
      client.on('upgrade', ({ headers: all }) => resolve(all as Record<string, unknown>)),
    );
    await opened(client);
    expect((await headers)['x-answer']).toBe('101');
    await peer.saw('open');
    expect(peer.sockets[0]?.data.headers.get('x-added')).toBe('yes');
    client.terminate();
  });

  test('may refuse after the upstream has agreed', async () => {
    using peer = startPeer();
    using gateway = start(peer, { response: () => new Response('changed my mind', { status: 403 }) });
    expect(await exchange(gateway.port, HANDSHAKE.join('\r\n'))).toContain('changed my mind');
    await peer.saw('close 1006 ');
  });

  test('log once, at the end, with the bytes of messages', async () => {
    using peer = startPeer();
    const logged: unknown[] = [];
    const ended = Promise.withResolvers<void>();
    using gateway = start(peer, {
      log: ({ outcome: { status, requestSize, responseSize, source } }) => {
        logged.push({ status, requestSize, responseSize, source });
        ended.resolve();
      },
    });
    const client = await opened(to(gateway));
    const back = next(client);
    client.send('12345');
    await back;
    expect(logged).toEqual([]);
    client.close();
    await ended.promise;
    await peer.saw('close 1005 ');
    expect(logged).toEqual([{ status: 101, requestSize: 5, responseSize: 5, source: 'upstream' }]);
  });
});

test.each([
  ['another method', ['POST / HTTP/1.1', 'Content-Length: 0', ...HANDSHAKE.slice(1)]],
  ['no Connection', HANDSHAKE.filter(line => !line.startsWith('Connection'))],
  ['no key', HANDSHAKE.filter(line => !line.startsWith('Sec-WebSocket-Key'))],
  ['a key that is none', HANDSHAKE.map(line => (line.startsWith('Sec-WebSocket-Key') ? 'Sec-WebSocket-Key: short' : line))],
  ['another version', HANDSHAKE.map(line => line.replace('13', '8'))],
  ['another protocol', HANDSHAKE.map(line => line.replace('WebSocket', 'h2c'))],
  ['subprotocols that are none', [...HANDSHAKE, 'Sec-WebSocket-Protocol: a, a']],
])('what asks for a WebSocket with %s is a request like any other', async (_, lines) => {
  const upstream = startUpstream();
  using gateway = startGateway({ url: upstream.url });
  const client = await rawClient(gateway.port);
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  expect(await client.shows('ok')).toContain('HTTP/1.1 200');
  const request = await upstream.received();
  expect(request.header('upgrade')).toBe(undefined as never);
  client.leave();
  upstream.stop();
});

test('a message that is too long ends the tunnel with 1009', async () => {
  using peer = startPeer();
  using gateway = startGateway({ url: peer.url });
  const client = await opened(to(gateway));
  const heard = closed(client);
  client.send(Buffer.alloc(16 * 1024 * 1024 + 1));
  expect(await heard).toStartWith('1009');
});

test('a tunnel in which nobody says anything ends after the read timeout', async () => {
  using peer = startPeer();
  using gateway = startGateway({ url: peer.url, service: { connect_timeout: 2000, read_timeout: 300, write_timeout: 300 } });
  const client = await opened(to(gateway));
  expect(await closed(client)).toBe('1001 idle');
  await peer.saw('close 1001 idle');
});

/** Resolves when nothing has changed for a while, or at once when it is over. */
async function settled(count: () => number, isOver: () => boolean): Promise<void> {
  for (let [before, same] = [-1, 0]; same < 40 && !isOver(); ) {
    same = before === count() ? same + 1 : 0;
    before = count();
    await Bun.sleep(10);
  }
}

const CHUNK = 256 * 1024;
const CHUNKS = 400;

test('an upstream sends no faster than its client reads', async () => {
  using peer = startPeer();
  using gateway = startGateway({ url: peer.url });
  const client = await opened(to(gateway));
  client.pause();
  await peer.saw('open');
  const side = peer.sockets[0] as Side;
  for (let index = 0; index < CHUNKS; index++) side.send(Buffer.alloc(CHUNK, index));
  const waiting = () => side.getBufferedAmount();
  await settled(waiting, () => waiting() === 0);
  // What is between them is less than half of it all: sockets take some, the gateway little.
  expect(waiting()).toBeGreaterThan((CHUNK * CHUNKS) / 2);
  let count = 0;
  const all = new Promise<void>(resolve =>
    client.on('message', (data: Buffer) => {
      expect([data.length, data[0], data[CHUNK - 1]]).toEqual([CHUNK, count % 256, count % 256]);
      if (++count === CHUNKS) resolve();
    }),
  );
  client.resume();
  await all;
  client.terminate();
});

test('a client sends no faster than its upstream reads', async () => {
  using peer = startPeer();
  using gateway = startGateway({ url: peer.url });
  const client = await opened(to(gateway));
  await peer.saw('open');
  const side = peer.sockets[0] as Side;
  side.pause();
  for (let index = 0; index < CHUNKS; index++) client.send(Buffer.alloc(CHUNK, index));
  const waiting = () => client.bufferedAmount;
  await settled(waiting, () => waiting() === 0);
  expect(waiting()).toBeGreaterThan((CHUNK * CHUNKS) / 2);
  let count = 0;
  const all = new Promise<void>(resolve =>
    peer.onMessage((_, data) => {
      expect([data.length, data[0]]).toEqual([CHUNK, count % 256]);
      if (++count === CHUNKS) resolve();
    }),
  );
  side.resume();
  await all;
  client.terminate();
});
