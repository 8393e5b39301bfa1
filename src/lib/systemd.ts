import { dlopen, ptr } from 'bun:ffi';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** Bytes of a `sockaddr_un`, and of the family at its start. */
const ADDRESS_SIZE = 110;
const FAMILY_SIZE = 2;

/**
 * Tells systemd how the service fares, such as `READY=1`; does nothing where no systemd listens. Throws when it cannot.
 * Bun has no datagram sockets of the Unix domain, hence libc. Protocol: https://www.freedesktop.org/software/systemd/man/sd_notify.html
 */
export function notifySystemd(state: string, environment: Readonly<Record<string, string | undefined>> = process.env): void {
  const { NOTIFY_SOCKET: path } = environment;
  if (!path) return;
  const libc = dlopen('libc.so.6', {
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    sendto: { args: ['i32', 'ptr', 'usize', 'i32', 'ptr', 'u32'], returns: 'i64' },
    close: { args: ['i32'], returns: 'i32' },
  });
  const address = Buffer.alloc(ADDRESS_SIZE);
  address.writeUInt16LE(AF_UNIX);
  const length = FAMILY_SIZE + address.write(path, FAMILY_SIZE);
  // A name that begins with @ is in the abstract namespace, where that byte is zero.
  if (path.startsWith('@')) address[FAMILY_SIZE] = 0;
  const message = Buffer.from(state);
  const socket = libc.symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  try {
    const sent = Number(libc.symbols.sendto(socket, ptr(message), message.length, MSG_NOSIGNAL, ptr(address), length));
    if (sent !== message.length) throw new Error(`systemd does not listen on NOTIFY_SOCKET ${path}`);
  } finally {
    libc.symbols.close(socket);
    libc.close();
  }
}
