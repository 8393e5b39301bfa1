import { RedisClient } from 'bun';
import { newFolder } from './executable.ts';

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Asks it as nobody else does. */
  ask(command: string, ...args: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

export interface RedisSetting {
  /** A free one when not given. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly password?: string;
}

/** Debian's redis-server on loopback, its data in memory alone; resolves once it answers. */
export async function startRedis({ port = freePort(), args = [], password }: RedisSetting = {}): Promise<RedisServer> {
  const secret = password === undefined ? [] : ['--requirepass', password];
  const command = ['redis-server', '--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', newFolder()];
  const child = Bun.spawn([...command, ...secret, ...args], { stdout: 'pipe', stderr: 'inherit' });
  let said = '';
  for await (const bytes of child.stdout.values({ preventCancel: true })) {
    said += new TextDecoder().decode(bytes);
    if (said.includes('Ready to accept connections')) break;
  }
  if (!said.includes('Ready to accept connections')) throw new Error(`redis-server did not start: ${said}`);
  const stop = async () => {
    child.kill('SIGKILL');
    await child.exited;
  };
  return {
    port,
    pid: child.pid,
    async ask(...[name, ...rest]) {
      const client = new RedisClient(`redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`, { autoReconnect: false });
      try {
        return await client.send(name, rest);
      } finally {
        client.close();
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** One that nobody listens on now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

export const hasRedis = Bun.which('redis-server') !== null;
