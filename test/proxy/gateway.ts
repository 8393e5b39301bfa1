import { listen } from '../../src/proxy/listener.ts';
import { createProxy, type ProxyOptions } from '../../src/proxy/proxy.ts';
import { recordingLog } from '../support/recording-log.ts';
import { type OneRoute, oneRoute } from '../support/snapshot.ts';

export interface Setting extends OneRoute, Partial<Omit<ProxyOptions, 'gateway' | 'log'>> {
  readonly hostname?: string;
  readonly tls?: { cert: string; key: string };
}

/** A proxy on a port of its own, with one route. Disposing of it cuts what is still open. */
export function startGateway(setting: Setting) {
  const { snapshot, passages } = oneRoute(setting);
  const { log, lines, said } = recordingLog();
  return Object.assign(startProxy({ gateway: { snapshot }, log, ...setting }), { passages, lines, said });
}

/** The same in front of any gateway. */
export function startProxy(setting: Pick<ProxyOptions, 'gateway' | 'log'> & Partial<ProxyOptions> & Pick<Setting, 'hostname' | 'tls'>) {
  const proxy = createProxy({
    trustedIps: [],
    realIpHeader: 'X-Real-IP',
    realIpRecursive: false,
    headers: ['server_tokens', 'latency_tokens', 'X-Kong-Request-Id'],
    version: '1.2.3',
    ...setting,
  });
  const server = listen({ hostname: setting.hostname ?? '127.0.0.1', port: 0 }, setting.tls, proxy);
  return {
    server,
    proxy,
    port: server.port as number,
    url: `${setting.tls ? 'https' : 'http'}://127.0.0.1:${server.port}`,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** A client that writes what it is told and shows what comes back. */
export async function rawClient(port: number) {
  let text = '';
  let ended: 'well' | 'reset' | null = null;
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const check of [...watchers]) check();
  };
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(_, bytes) {
        text += bytes.toString('latin1');
        changed();
      },
      close(_, error) {
        ended = error ? 'reset' : 'well';
        changed();
      },
      error() {},
    },
  });
  const until = (condition: () => boolean) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const check = () => {
      if (!condition()) return;
      watchers.delete(check);
      resolve(text);
    };
    watchers.add(check);
    check();
    return promise;
  };
  return {
    socket,
    write: (part: string) => void socket.write(part),
    /** Resolves to all that came once `part` is in it. */
    shows: (part: string) => until(() => text.includes(part)),
    /** Resolves to how the gateway ended the connection. */
    ended: () => until(() => ended !== null).then(() => ended),
    leave: () => void socket.terminate(),
  };
}

/** What one request, written as it is, is answered with: up to the end of its body. */
export async function exchange(port: number, head: string, body = ''): Promise<string> {
  const client = await rawClient(port);
  client.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
  await client.ended();
  return client.shows('');
}
