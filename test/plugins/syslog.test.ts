import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syslogAt } from '../../src/plugins/syslog.ts';
import { answered } from '../support/context.ts';
import { openDatagramSocket, python } from '../support/datagram-socket.ts';
import { configured, openHost } from '../support/host.ts';

const folder = mkdtempSync(join(tmpdir(), 'syslog-'));
afterAll(() => rmSync(folder, { recursive: true }));

function start(path: string, config: object) {
  const { host, lines, said } = openHost();
  const phases = configured(syslogAt(path), config, host);
  const log = (status: number, outcome: object = {}, headers = {}) =>
    void phases.log?.(answered(new Request('http://localhost:8000/a', { headers }), { outcome: { status, ...outcome } }));
  return { log, close: async () => phases.close?.(), lines, said };
}

const HEADER = /^<(\d+)>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) kong: (\{.*\})$/s;

describe.skipIf(!python)('writes to the socket of syslog', () => {
  test.each([
    ['200 with the defaults', {}, 200, 8 + 6],
    ['404 with the defaults', {}, 404, 8 + 6],
    ['a success', { successful_severity: 'notice', facility: 'local0' }, 302, 16 * 8 + 5],
    ['a mistake of the client', { client_errors_severity: 'warning', facility: 'daemon' }, 404, 3 * 8 + 4],
    ['a failure', { server_errors_severity: 'emerg', facility: 'kern' }, 502, 0],
    [
      'the least severe when log_level lets it',
      { log_level: 'debug', successful_severity: 'debug', facility: 'authpriv' },
      200,
      10 * 8 + 7,
    ],
  ])('%s', async (name, config, status, priority) => {
    const path = join(folder, name.replaceAll(' ', '-'));
    using socket = await openDatagramSocket(path);
    const { log, close } = start(path, config);
    log(status);
    const [, number, time = '', entry = ''] = HEADER.exec(await socket.next()) ?? [];
    expect(Number(number)).toBe(priority);
    expect(Number.isNaN(Date.parse(`${time} 2000`))).toBe(false);
    expect(JSON.parse(entry).response.status).toBe(status);
    await close();
  });

  test('nothing that is less severe than log_level; a client that left is a mistake of the client', async () => {
    const path = join(folder, 'quiet');
    using socket = await openDatagramSocket(path);
    const { log, close } = start(path, { log_level: 'err', client_errors_severity: 'err', server_errors_severity: 'warning' });
    log(200);
    log(500);
    log(200, { clientLeft: true });
    expect(await socket.next()).toStartWith(`<${8 + 3}>`);
    await close();
  });

  test('what could not be written while nobody listened, and no more than fits', async () => {
    const path = join(folder, 'later');
    const { log, close, said } = start(path, {});
    for (let i = 0; i < 10_002; i++) log(200);
    while (said('warn').length < 2) await new Promise(resolve => setImmediate(resolve));
    expect(said('error')).toEqual(['syslog c4fe: the queue is full, dropping the oldest entries']);
    using socket = await openDatagramSocket(path);
    for (let i = 0; i < 10_000; i++) await socket.next();
    await close();
    expect(said('error')[1]).toMatch(/^syslog c4fe: caught up, [12] entries were dropped$/);
  });

  test('not an entry that is larger than the socket takes', async () => {
    const path = join(folder, 'large');
    using socket = await openDatagramSocket(path);
    const { log, close, said } = start(path, {});
    log(200, {}, { 'x-large': 'x'.repeat(8 * 1024 * 1024) });
    log(201);
    expect(await socket.next()).toContain('"status":201');
    await close();
    expect(said('error')[0]).toContain('is larger than a datagram may be, it is lost');
  });
});

describe('refuses', () => {
  test.each([
    ['a severity that is none', { log_level: 'error' }, 'log_level: expected one of'],
    ['a facility that is none', { facility: 'local8' }, 'facility: expected one of'],
    ['Lua code', { custom_fields_by_lua: { a: 'return 1' } }, 'this gateway runs no Lua'],
  ])('%s', (_, config, message) => {
    expect(() => start(join(folder, 'none'), config)).toThrow(message);
  });
});
