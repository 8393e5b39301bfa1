import type { Socket } from 'node:dgram';
import { node } from './node.ts';

/** Sends texts, each as one datagram. */
export interface UdpSender {
  /** Rejects with the reason; its `code` is EMSGSIZE for a text that no datagram can hold. Whether it arrives, nobody knows. */
  send(text: string): Promise<void>;
  close(): void;
}

/** `timeout`: milliseconds that finding the address of `host` may take. */
export function openUdpSender(host: string, port: number, timeout: number): UdpSender {
  const sockets: Partial<Record<number, Socket>> = {};

  function socketOf(family: number): Socket {
    const socket = node.dgram.createSocket(family === 6 ? 'udp6' : 'udp4');
    // Each send tells its own.
    socket.on('error', () => undefined);
    socket.unref();
    return socket;
  }

  return {
    async send(text) {
      try {
        const { address, family } = await inTime(node.dns.lookup(host), timeout, 'timeout while finding its address');
        sockets[family] ??= socketOf(family);
        const socket = sockets[family];
        await new Promise<void>((resolve, reject) => socket.send(text, port, address, error => (error ? reject(error) : resolve())));
      } catch (error) {
        const { message, code } = error as NodeJS.ErrnoException;
        throw Object.assign(new Error(`${host}:${port}: ${message}`), { code });
      }
    },
    close() {
      for (const socket of Object.values(sockets)) socket?.close();
      for (const family of Object.keys(sockets)) delete sockets[Number(family)];
    },
  };
}

function inTime<T>(work: Promise<T>, milliseconds: number, late: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(late)), milliseconds);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
