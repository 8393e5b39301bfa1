import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notifySystemd } from '../../src/lib/systemd.ts';
import { openDatagramSocket, python } from '../support/datagram-socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'systemd-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(!python).each([
  ['a path', () => join(folder, 'notify')],
  ['an abstract name', () => `@sluice-test-${crypto.randomUUID()}`],
])('READY=1 arrives at %s', async (_, name) => {
  const NOTIFY_SOCKET = name();
  using socket = await openDatagramSocket(NOTIFY_SOCKET);
  notifySystemd('READY=1', { NOTIFY_SOCKET });
  expect(await socket.next()).toBe('READY=1');
});

test('nothing happens where no systemd listens', () => {
  expect(() => notifySystemd('READY=1', {})).not.toThrow();
});

test('a socket that is gone is an error', () => {
  expect(() => notifySystemd('READY=1', { NOTIFY_SOCKET: '/nowhere/notify' })).toThrow('NOTIFY_SOCKET /nowhere/notify');
});
