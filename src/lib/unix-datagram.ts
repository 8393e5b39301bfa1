import { dlopen, ptr, read } from 'bun:ffi';
import { node } from './node.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Bytes of a `sockaddr_un`, and of the family at its start. */
const ADDRESS_SIZE = 110;
const FAMILY_SIZE = 2;

/** Sends to a socket of this machine. */
export interface UnixDatagram {
  /** Never waits. Throws an Error whose `code` is the system's, such as ENOENT: nobody listens, EAGAIN: who listens is behind. */
  send(message: Uint8Array): void;
  close(): void;
}

/**
 * Bun has no datagram sockets of the Unix domain, hence libc. The other end is looked up for each message, and may come later
 * or anew. A path that begins with @ is a name in the abstract namespace.
 */
export function openUnixDatagram(path: string): UnixDatagram {
  const libc = dlopen('libc.so.6', {
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    sendto: { args: ['i32', 'ptr', 'usize', 'i32', 'ptr', 'u32'], returns: 'i64' },
    close: { args: ['i32'], returns: 'i32' },
    __errno_location: { args: [], returns: 'ptr' },
  });
  const { socket, sendto, close, __errno_location } = libc.symbols;
  const failure = () => {
    const location = __errno_location();
    const code = node.util.getSystemErrorName(location === null ? 0 : -read.i32(location, 0));
    return Object.assign(new Error(`${path}: ${code}`), { code });
  };
  const address = Buffer.alloc(ADDRESS_SIZE);
  address.writeUInt16LE(AF_UNIX);
  const length = FAMILY_SIZE + address.write(path, FAMILY_SIZE);
  if (path.startsWith('@')) address[FAMILY_SIZE] = 0;
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw failure();
  let isOpen = true;
  return {
    send(message) {
      // The number may be another's by now.
      if (!isOpen) throw Object.assign(new Error(`${path}: EBADF`), { code: 'EBADF' });
      const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
      if (sendto(descriptor, ptr(message), message.length, flags, ptr(address), length) < 0) throw failure();
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      close(descriptor);
      libc.close();
    },
  };
}
