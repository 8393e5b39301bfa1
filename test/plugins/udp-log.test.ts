import { describe, expect, test } from 'bun:test';
import { udpLog } from '../../src/plugins/udp-log.ts';
import { answered } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';

function start(config: object) {
  const { host, lines, said } = openHost();
  const phases = configured(udpLog, config, host);
  const log = (path: string, headers = {}) => void phases.log?.(answered(new Request(`http://localhost:8000${path}`, { headers })));
  return { log, close: async () => phases.close?.(), lines, said };
}

async function openReceiver(hostname = '127.0.0.1') {
  const uris: string[] = [];
  let look = () => {};
  const socket = await Bun.udpSocket({
    hostname,
    socket: {
      data(_, datagram) {
        uris.push(JSON.parse(datagram.toString()).request.uri);
        look();
      },
    },
  });
  return {
    port: socket.port,
    async received(count: number) {
      while (uris.length < count) await new Promise<void>(resolve => (look = resolve));
      return uris;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

describe('sends a datagram of JSON a request', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['::1', '::1'],
    ['[::1]', '::1'],
  ])('to %s', async (host, hostname) => {
    using receiver = await openReceiver(hostname);
    const { log, close, lines } = start({ host, port: receiver.port });
    log('/a');
    log('/b');
    expect(await receiver.received(2)).toEqual(['/a', '/b']);
    await close();
    expect(lines).toEqual([]);
  });
});

test('an entry that is larger than a datagram is lost, and those after it are not', async () => {
  using receiver = await openReceiver();
  const { log, close, said } = start({ host: '127.0.0.1', port: receiver.port });
  log('/large', { 'x-large': 'x'.repeat(70_000) });
  log('/after');
  expect(await receiver.received(1)).toEqual(['/after']);
  await close();
  expect(said('error')).toHaveLength(1);
  expect(said('error')[0]).toMatch(/^udp-log c4fe: an entry of 7\d{4} bytes is larger than a datagram may be, it is lost$/);
});

test('a host that has no address is named in the log', async () => {
  const { log, lines } = start({ host: 'nowhere.invalid', port: 1 });
  log('/');
  while (lines.length === 0) await new Promise(resolve => setImmediate(resolve));
  expect(lines[0]?.message).toBe('udp-log c4fe: could not send, will try again');
  expect(lines[0]?.facts?.['reason']).toStartWith('nowhere.invalid:1: ');
});

describe('refuses', () => {
  test.each([
    ['no host', { port: 1 }, 'host: required field missing'],
    ['no port', { host: 'logs.test' }, 'port: required field missing'],
    ['a negative timeout', { host: 'logs.test', port: 1, timeout: -1 }, 'value must not be negative'],
    ['Lua code', { host: 'logs.test', port: 1, custom_fields_by_lua: { a: 'return 1' } }, 'this gateway runs no Lua'],
  ])('%s', (_, config, message) => {
    expect(() => start(config)).toThrow(message);
  });
});
