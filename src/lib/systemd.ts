import type { Log } from './log.ts';
import { openUnixDatagram } from './unix-datagram.ts';

/**
 * Tells systemd how the service fares, such as `READY=1`; does nothing where no systemd listens. Throws when it cannot.
 * Protocol: https://www.freedesktop.org/software/systemd/man/sd_notify.html
 */
export function notifySystemd(state: string, environment: Readonly<Record<string, string | undefined>> = process.env): void {
  const { NOTIFY_SOCKET: path } = environment;
  if (!path) return;
  const socket = openUnixDatagram(path);
  try {
    socket.send(Buffer.from(state));
  } catch (error) {
    throw new Error(`systemd does not listen on NOTIFY_SOCKET ${(error as Error).message}`);
  } finally {
    socket.close();
  }
}

/** The same; that it cannot be told is no reason not to go on. */
export function tellSystemd(state: string, log: Pick<Log, 'warn'>): void {
  try {
    notifySystemd(state);
  } catch (error) {
    log.warn((error as Error).message);
  }
}
