import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { KeyPair } from '../../src/lib/self-signed.ts';

export interface TlsClient extends Disposable {
  readonly socket: TLSSocket;
  /** Of the certificate that the server shows. */
  readonly fingerprint: string;
  /** Sends a request on the connection and resolves to its status line and headers, and its body by their Content-Length. */
  get(path: string, headers?: string): Promise<string>;
}

/** A handshake with whoever listens on a port of loopback, whatever certificate it shows. Rejects when it fails. */
export async function tlsClient(port: number, options: ConnectionOptions = {}): Promise<TlsClient> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  const ready = Promise.withResolvers<void>();
  let text = '';
  let look = () => {};
  socket.on('secureConnect', () => ready.resolve());
  socket.on('error', error => ready.reject(error));
  socket.on('close', () => {
    ready.reject(new Error('the server has closed the connection'));
    look();
  });
  socket.on('data', bytes => {
    text += bytes.toString('latin1');
    look();
  });
  await ready.promise;
  const get = (path: string, headers = '') => {
    const answer = Promise.withResolvers<string>();
    text = '';
    look = () => {
      const [head = '', body] = text.split('\r\n\r\n');
      if (body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)) answer.resolve(text);
      else if (socket.destroyed) answer.reject(new Error('the server has closed the connection'));
    };
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    look();
    return answer.promise;
  };
  return {
    socket,
    fingerprint: socket.getPeerCertificate().fingerprint256,
    get,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

export const fingerprintOf = ({ cert }: Pick<KeyPair, 'cert'>): string => new X509Certificate(cert).fingerprint256;
