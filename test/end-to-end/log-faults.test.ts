import { expect, setDefaultTimeout, test } from 'bun:test';
import { startGateway } from '../support/executable.ts';
import { openLineServer } from '../support/line-server.ts';
import { freePort } from '../support/redis-server.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const SENT = 40;
/** Room for a few, tries again soon and for long. */
const queue = { max_entries: 5, max_coalescing_delay: 0.001, initial_retry_delay: 0.01, max_retry_delay: 0.01, max_retry_time: 600 };

/** A server of logs that is there from now on; resolves to how many entries have come in, once there are so many. */
type Opened = Disposable & { arrived(count: number): Promise<number> };

function overHttp(port: number): Opened {
  const server = startUpstream({ port });
  const arrived = async (count: number) => {
    await server.received(count);
    return server.requests.length;
  };
  return { arrived, [Symbol.dispose]: () => server.stop() };
}
function overTcp(port: number): Opened {
  const server = openLineServer({ port });
  return { arrived: async count => (await server.received(count)).length, [Symbol.dispose]: () => server[Symbol.dispose]() };
}

interface Setting {
  readonly name: string;
  config(port: number): object;
  readonly open: (port: number) => Opened;
  /** Of each request. */
  readonly entries: number;
  readonly room: number;
}

test.each<Setting>([
  { name: 'http-log', config: port => ({ http_endpoint: `http://127.0.0.1:${port}/`, queue }), open: overHttp, entries: 1, room: 5 },
  { name: 'tcp-log', config: port => ({ host: '127.0.0.1', port }), open: overTcp, entries: 1, room: 10_000 },
  {
    name: 'opentelemetry',
    config: port => ({ traces_endpoint: `http://127.0.0.1:${port}/v1/traces`, queue: { ...queue, max_batch_size: 1 } }),
    open: overHttp,
    entries: 2,
    room: 5,
  },
])('a server of $name that is gone stops no request; what its queue cannot hold is dropped and counted', async setting => {
  const port = freePort();
  const upstream = startUpstream();
  await using gateway = await startGateway({ environment: { SLUICE_WORKERS: '1' } });
  for (const [path, body] of [
    ['/services', { name: 'api', url: upstream.url }],
    ['/services/api/routes', { name: 'all', paths: ['/'] }],
    ['/plugins', { name: setting.name, config: setting.config(port) }],
  ] as const)
    expect(await gateway.request('POST', path, body)).toMatchObject({ status: 201 });
  for (let sent = 0; sent < SENT; sent++) expect((await fetch(gateway.proxy)).status).toBe(200);
  await gateway.logged(({ message }) => message.includes('could not send, will try again'));

  using server = setting.open(port);
  const all = SENT * setting.entries;
  let dropped = 0;
  if (all > setting.room) {
    await gateway.logged(({ message }) => message.endsWith('the queue is full, dropping the oldest entries'));
    const { message } = await gateway.logged(entry => entry.message.includes('caught up, '));
    dropped = Number(/caught up, (\d+) entries were dropped/.exec(message)?.[1]);
    // All but what had room, and what was on its way.
    expect(dropped).toBeGreaterThanOrEqual(all - setting.room - 1);
  }
  expect(await server.arrived(all - dropped)).toBe(all - dropped);
  upstream.stop();
});
