import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const HEADER = 'PROXY TCP4 203.0.113.7 10.0.0.1 56324 443\r\n';
const BINARY = Buffer.from('0d0a0d0a000d0a515549540a2111000cc6336409 0a000001 1f401fbb'.replaceAll(' ', ''), 'hex');
const REQUEST = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

let gateway: RunningGateway;
let doubting: RunningGateway;
let upstream: Upstream;
beforeAll(async () => {
  upstream = startUpstream();
  const start = async (trusted: string, workers: string) => {
    const environment = {
      SLUICE_PROXY_LISTEN: '127.0.0.1:0 proxy_protocol, 127.0.0.1:0 ssl http2 proxy_protocol',
      SLUICE_REAL_IP_HEADER: 'proxy_protocol',
      SLUICE_TRUSTED_IPS: trusted,
      SLUICE_WORKERS: workers,
    };
    const started = await startGateway({ environment });
    await started.request('POST', '/services', { name: 'upstream', url: upstream.url });
    await started.request('POST', '/services/upstream/routes', { paths: ['/'] });
    return started;
  };
  gateway = await start('127.0.0.1', '2');
  doubting = await start('10.0.0.0/8', '1');
});
afterAll(async () => {
  await Promise.all([gateway.stop(), doubting.stop()]);
  upstream.stop();
});

const ports = (of: RunningGateway) =>
  (of.log.find(({ message }) => message === 'sluice is ready') as unknown as { proxy: string[] }).proxy.map(url =>
    Number(new URL(url).port),
  );
const count = () => upstream.requests.length;

/** Connects and says what a load balancer says first. */
const balancer = (port: number | undefined, header: string | Buffer) =>
  new Promise<Socket>(resolve => {
    const socket = connect(port as number, '127.0.0.1', () => {
      socket.write(header);
      resolve(socket);
    });
    socket.on('error', () => {});
  });

const shows = (socket: Socket, part: string) =>
  new Promise<void>(resolve => {
    let text = '';
    socket.on('data', bytes => {
      text += bytes.toString('latin1');
      if (text.includes(part)) resolve();
    });
  });

const clientOf = async (number: number) => {
  const request = await upstream.received(number);
  return [request.header('x-real-ip'), request.header('x-forwarded-for')];
};

test.each([
  ['text', HEADER, '203.0.113.7'],
  ['bytes', BINARY, '198.51.100.9'],
] as const)('the client is who the load balancer says it is, in %s, for all requests of the connection', async (_, header, client) => {
  const socket = await balancer(ports(gateway)[0], header);
  for (let request = 0; request < 3; request++) {
    const number = count() + 1;
    const answered = shows(socket, '\r\n\r\nok');
    socket.write(REQUEST);
    expect(await clientOf(number)).toEqual([client, client]);
    await answered;
  }
  socket.destroy();
});

test('it may say so letter by letter, and the request behind it in one go', async () => {
  const number = count() + 1;
  const socket = await balancer(ports(gateway)[0], '');
  for (const letter of HEADER) socket.write(letter);
  socket.write(REQUEST);
  expect(await clientOf(number)).toEqual(['203.0.113.7', '203.0.113.7']);
  socket.destroy();
});

test('before TLS as well', async () => {
  const number = count() + 1;
  const socket = secure({ socket: await balancer(ports(gateway)[1], HEADER), rejectUnauthorized: false });
  socket.on('secureConnect', () => socket.write(REQUEST));
  expect(await clientOf(number)).toEqual(['203.0.113.7', '203.0.113.7']);
  expect((await upstream.received(number)).header('x-forwarded-proto')).toBe('https');
  socket.destroy();
});

test('a load balancer that speaks for itself is the client', async () => {
  const number = count() + 1;
  const socket = await balancer(ports(gateway)[0], 'PROXY UNKNOWN\r\n');
  socket.write(REQUEST);
  expect(await clientOf(number)).toEqual(['127.0.0.1', '127.0.0.1']);
  socket.destroy();
});

test('who is not trusted may say what it likes', async () => {
  const number = count() + 1;
  const socket = await balancer(ports(doubting)[0], HEADER);
  socket.write(REQUEST);
  expect(await clientOf(number)).toEqual(['127.0.0.1', '127.0.0.1']);
  socket.destroy();
});

test.each([REQUEST, 'PROXY TCP4 nobody\r\n', '\x16\x03\x01\x00\x05'])('without it the connection is closed: %j', async beginning => {
  for (const port of ports(gateway)) {
    const before = count();
    const socket = await balancer(port, beginning);
    await new Promise(resolve => socket.once('close', resolve));
    expect(count()).toBe(before);
  }
});
