import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openUnixDatagram } from '../../src/lib/unix-datagram.ts';
import { openDatagramSocket, python } from '../support/datagram-socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'unix-datagram-'));
afterAll(() => rmSync(folder, { recursive: true }));

const codeOf = (work: () => void) => {
  try {
    work();
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('a path where nobody listens is ENOENT', () => {
  const socket = openUnixDatagram(join(folder, 'nobody'));
  expect(codeOf(() => socket.send(Buffer.from('lost')))).toBe('ENOENT');
  socket.close();
});

describe.skipIf(!python)('somebody who listens', () => {
  test('gets each message whole', async () => {
    const path = join(folder, 'whole');
    using receiver = await openDatagramSocket(path);
    const socket = openUnixDatagram(path);
    const long = 'é'.repeat(10_000);
    socket.send(Buffer.from('first'));
    socket.send(Buffer.from(long));
    expect(await receiver.next()).toBe('first');
    expect(await receiver.next()).toBe(long);
    socket.close();
  });

  test('may come anew under the same name', async () => {
    const path = `@sluice-test-${crypto.randomUUID()}`;
    const socket = openUnixDatagram(path);
    expect(codeOf(() => socket.send(Buffer.from('lost')))).toBe('ECONNREFUSED');
    using receiver = await openDatagramSocket(path);
    socket.send(Buffer.from('back'));
    expect(await receiver.next()).toBe('back');
    socket.close();
  });

  test('who does not read makes nobody wait: EAGAIN', async () => {
    const path = join(folder, 'behind');
    using _ = await openDatagramSocket(path, 'stopped');
    const socket = openUnixDatagram(path);
    const message = Buffer.alloc(1000);
    let code: string | null = null;
    while (code === null) code = codeOf(() => socket.send(message));
    expect(code).toBe('EAGAIN');
    socket.close();
  });

  test('a message that is too large is EMSGSIZE', async () => {
    const path = join(folder, 'large');
    using _ = await openDatagramSocket(path);
    const socket = openUnixDatagram(path);
    expect(codeOf(() => socket.send(Buffer.alloc(64 * 1024 * 1024)))).toBe('EMSGSIZE');
    socket.close();
  });
});
