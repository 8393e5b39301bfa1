import { describe, expect, test } from 'bun:test';
import { tcpLog } from '../../src/plugins/tcp-log.ts';
import { answered } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';
import { type LineServer, openLineServer } from '../support/line-server.ts';

function start(config: object) {
  const { host, lines, said } = openHost();
  const phases = configured(tcpLog, { host: '127.0.0.1', ...config }, host);
  const log = (path: string) => void phases.log?.(answered(new Request(`http://localhost:8000${path}`)));
  return { log, close: async () => phases.close?.(), lines, said };
}

const urisIn = ({ lines }: LineServer) => lines.map(line => JSON.parse(line).request.uri);

describe('sends', () => {
  test('one line of JSON a request, in order, a burst over one connection', async () => {
    using server = openLineServer();
    const { log, close, lines } = start({ port: server.port });
    const uris = Array.from({ length: 3000 }, (_, i) => `/${i}`);
    for (const uri of uris) log(uri);
    await server.received(uris.length);
    await close();
    expect(urisIn(server)).toEqual(uris);
    expect(server.serverNames).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  test('over TLS with the name of tls_sni, whoever signed the certificate', async () => {
    using server = openLineServer({ tls: true });
    const { log, close } = start({ port: server.port, tls: true, tls_sni: 'logs.example.test' });
    log('/a');
    await server.received(1);
    await close();
    expect(urisIn(server)).toEqual(['/a']);
    expect(server.serverNames).toEqual(['logs.example.test']);
  });

  test('over a new connection after one that rested longer than keepalive', async () => {
    using server = openLineServer();
    const { log, close } = start({ port: server.port, keepalive: 1 });
    for (let sent = 1; server.serverNames.length < 2; sent++) {
      log(`/${sent}`);
      await server.received(sent);
      await Bun.sleep(5);
    }
    await close();
  });
});

describe('a server that goes', () => {
  test('and comes back gets what was logged since that was noticed', async () => {
    const first = openLineServer();
    const { log, close, said } = start({ port: first.port });
    log('/a');
    await first.received(1);
    await first.hangUp();
    first[Symbol.dispose]();
    while (said('warn').length === 0) {
      log('/meanwhile');
      await new Promise(resolve => setImmediate(resolve));
    }
    using second = openLineServer({ port: first.port });
    log('/b');
    await close();
    while (urisIn(second).at(-1) !== '/b') await second.received(second.lines.length + 1);
    expect(urisIn(second)[0]).toBe('/meanwhile');
    expect(said('warn')[0]).toBe('tcp-log c4fe: could not send, will try again');
    expect(said('error')).toEqual([]);
  });

  test('for good costs a bounded number of entries, and the log counts those that were dropped', async () => {
    const gone = openLineServer();
    gone[Symbol.dispose]();
    const { log, said } = start({ port: gone.port });
    for (let i = 0; i < 12_000; i++) log('/');
    expect(said('error')).toEqual(['tcp-log c4fe: the queue is full, dropping the oldest entries']);
    using back = openLineServer({ port: gone.port });
    await back.received(10_000);
    while (said('error').length < 2) await new Promise(resolve => setImmediate(resolve));
    const [, count] = /caught up, (\d+) entries were dropped/.exec(said('error')[1] ?? '') ?? [];
    expect(Number(count) + back.lines.length).toBe(12_000);
  });

  test.each([
    ['that takes no TLS', true],
    ['that is not there', false],
  ])('%s is named in the log, after the timeout at the latest', async (_, tls) => {
    using silent = tls ? openLineServer() : null;
    const { log, lines } = start({ port: silent?.port ?? 1, tls, timeout: 10 });
    log('/');
    while (lines.length === 0) await new Promise(resolve => setImmediate(resolve));
    expect(lines[0]?.facts?.['reason']).toStartWith(`127.0.0.1:${silent?.port ?? 1}: `);
  });
});

describe('refuses', () => {
  test.each([
    ['no host', { host: null, port: 1 }, 'host: required field missing'],
    ['a host with a port', { host: 'logs.test:1', port: 1 }, 'host: must not have a port'],
    ['no port', {}, 'port: required field missing'],
    ['a port that is none', { port: 65_536 }, 'port: value should be between 0 and 65535'],
    ['a negative timeout', { port: 1, timeout: -1 }, 'value must not be negative'],
    ['a negative keepalive', { port: 1, keepalive: -1 }, 'value must not be negative'],
    ['Lua code', { port: 1, custom_fields_by_lua: { a: 'return 1' } }, 'this gateway runs no Lua'],
  ])('%s', (_, config, message) => {
    expect(() => start(config)).toThrow(message);
  });
});
