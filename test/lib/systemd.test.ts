import { expect, test } from 'bun:test';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notifySystemd } from '../../src/lib/systemd.ts';

const python = Bun.which('python3');
if (!python) console.log('skipped: needs python3');

/** Prints a word when it listens, then the one message it gets: what systemd's end of the socket would. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.settimeout(10)
s.bind(sys.argv[1].replace('@', '\\0'))
print('listening', end='', flush=True)
print(s.recv(200).decode(), end='', flush=True)
`;

test.skipIf(!python).each([
  ['a path', () => join(mkdtempSync(join(tmpdir(), 'sluice-systemd-')), 'notify')],
  ['an abstract name', () => `@sluice-test-${crypto.randomUUID()}`],
])('READY=1 arrives at %s', async (_, socket) => {
  const path = socket();
  const receiver = Bun.spawn([python as string, '-c', RECEIVER, path], { stdout: 'pipe' });
  const output = receiver.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  expect((await output.next()).value).toBe('listening');
  notifySystemd('READY=1', { NOTIFY_SOCKET: path });
  expect((await output.next()).value).toBe('READY=1');
});

test('nothing happens where no systemd listens', () => {
  expect(() => notifySystemd('READY=1', {})).not.toThrow();
});

test('a socket that is gone is an error', () => {
  expect(() => notifySystemd('READY=1', { NOTIFY_SOCKET: '/nowhere/notify' })).toThrow('NOTIFY_SOCKET /nowhere/notify');
});
