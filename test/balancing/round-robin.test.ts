import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { startUpstream } from '../support/upstream.ts';
import { type Balanced, startBalanced } from './gateway.ts';

setDefaultTimeout(30_000);

const servers = [startUpstream(), startUpstream(), startUpstream()] as const;
const [one, two, three] = servers;
afterAll(() => {
  for (const server of servers) server.stop();
});
beforeEach(() => {
  for (const server of servers) server.answer({ body: 'ok' });
});
const gone = startUpstream();
gone.stop();

const at = ({ port }: { readonly port: number }, weight = 100) => ({ target: `127.0.0.1:${port}`, weight });
const counted = async (work: () => Promise<unknown>) => {
  const before = servers.map(({ requests }) => requests.length);
  await work();
  return servers.map(({ requests }, index) => requests.length - (before[index] as number));
};
const message = async (response: Response) => [response.status, ((await response.json()) as { message: string }).message];
const NO_PEER = 'failure to get a peer from the ring-balancer';

test.each<[string, number[], number, number[]]>([
  ['equals get the same', [100, 100, 100], 9, [3, 3, 3]],
  ['each gets as much as its weight', [1, 2, 3], 12, [2, 4, 6]],
  ['weights share a divisor', [300, 100, 0], 8, [6, 2, 0]],
  ['a weight of 0 gets nothing', [0, 5, 0], 4, [0, 4, 0]],
])('%s', async (_, weights, requests, expected) => {
  await using gateway = await startBalanced({ targets: servers.map((server, index) => at(server, weights[index])) });
  expect(await counted(() => gateway.send(requests))).toEqual(expected);
});

test('the share is kept while other things of the configuration change', async () => {
  await using gateway = await startBalanced({ targets: [at(one, 1), at(two, 2), at(three, 3)] });
  const shares = await counted(async () => {
    for (let turn = 0; turn < 12; turn++) {
      await gateway.send(1);
      await gateway.admin('POST', '/services', { host: 'elsewhere' });
      await gateway.admin('POST', '/upstreams', { name: `other-${turn}` });
    }
  });
  expect(shares).toEqual([2, 4, 6]);
});

test('targets come, go and weigh otherwise', async () => {
  await using gateway = await startBalanced({ targets: [at(one)] });
  expect(await counted(() => gateway.send(2))).toEqual([2, 0, 0]);
  const { id } = await gateway.admin('POST', '/upstreams/backend/targets', at(two));
  expect(await counted(() => gateway.send(4))).toEqual([2, 2, 0]);
  await gateway.admin('PATCH', `/upstreams/backend/targets/${id}`, { weight: 300 });
  expect(await counted(() => gateway.send(8))).toEqual([2, 6, 0]);
  await gateway.admin('DELETE', `/upstreams/backend/targets/127.0.0.1:${one.port}`);
  expect(await counted(() => gateway.send(3))).toEqual([0, 3, 0]);
});

test('a host is the name of an upstream from the moment that there is one', async () => {
  await using gateway = await startBalanced({ targets: [at(one)], service: { host: 'localhost', port: two.port } });
  expect(await counted(() => gateway.send(1))).toEqual([0, 1, 0]);
  await gateway.admin('PATCH', '/upstreams/backend', { name: 'localhost' });
  expect(await counted(() => gateway.send(1))).toEqual([1, 0, 0]);
  await gateway.admin('DELETE', '/upstreams/localhost');
  expect(await counted(() => gateway.send(1))).toEqual([0, 1, 0]);
});

describe('who nobody can serve', () => {
  test.each<[string, Balanced]>([
    ['no targets', { targets: [] }],
    ['only targets without weight', { targets: [at(one, 0)] }],
    ['a name that cannot be found', { targets: ['nobody.invalid:80'] }],
  ])('%s', async (_, balanced) => {
    await using gateway = await startBalanced(balanced);
    expect(await message(await fetch(gateway.url))).toEqual([503, NO_PEER]);
  });
});

describe('what Host says', () => {
  test.each<[string, Balanced, string]>([
    ['the address of the target', { targets: [at(one)] }, `127.0.0.1:${one.port}`],
    ['the name of the target', { targets: [{ target: `localhost:${one.port}` }] }, `localhost:${one.port}`],
    ['the upstream’s word', { targets: [at(one)], upstream: { host_header: 'api.example' } }, `api.example:${one.port}`],
    ['the upstream’s word with a port', { targets: [at(one)], upstream: { host_header: 'api.example:81' } }, 'api.example:81'],
    ['the client’s', { targets: [at(one)], route: { preserve_host: true } }, 'client.example'],
  ])('%s', async (_, balanced, host) => {
    await using gateway = await startBalanced(balanced);
    await fetch(gateway.url, { headers: { host: 'client.example' } });
    expect(one.requests.at(-1)?.header('host')).toBe(host);
  });
});

describe('who is tried next', () => {
  const SHORT = { connect_timeout: 300, read_timeout: 300, write_timeout: 300 };
  test.each<[string, RequestInit, Balanced['service'], 'close' | 'reset' | 'silence' | 'gone', number]>([
    ['nobody listens', {}, {}, 'gone', 200],
    ['nobody listens, whatever was to be sent', { method: 'POST', body: 'x' }, {}, 'gone', 200],
    ['nobody listens, and it is not tried again', {}, { retries: 0 }, 'gone', 502],
    ['it hangs up', {}, {}, 'close', 200],
    ['it resets the connection', { method: 'PUT', body: 'x' }, {}, 'reset', 200],
    ['it resets the connection, and may have done what was sent', { method: 'POST', body: 'x' }, {}, 'reset', 502],
    ['it says nothing', {}, SHORT, 'silence', 200],
    ['it says nothing, and may have done what was sent', { method: 'PATCH', body: 'x' }, SHORT, 'silence', 504],
    ['it says nothing, and it is not tried again', {}, { ...SHORT, retries: 0 }, 'silence', 504],
  ])('%s', async (_, init, service, how, status) => {
    const bad = how === 'gone' ? gone : one;
    if (how !== 'gone') one.answer(how);
    await using gateway = await startBalanced({ targets: [at(bad, 1000), at(two, 1)], ...(service && { service }) });
    const answers = await gateway.send(2, '/', init);
    const statuses = answers.map(answer => answer.status);
    expect(status === 200 ? statuses : Math.max(...statuses)).toEqual(status === 200 ? [200, 200] : status);
  });

  test('all fail: the last failure is told, after as many tries as the service allows', async () => {
    one.answer('close');
    two.answer('close');
    await using gateway = await startBalanced({ targets: [at(one), at(two)], service: { retries: 3 } });
    const answer = await fetch(gateway.url, { method: 'PUT', body: 'x' });
    expect(await message(answer)).toEqual([502, 'An invalid response was received from the upstream server']);
    const tried = gateway.lines.filter(({ level }) => level === 'error').map(({ facts }) => facts?.['upstream']);
    expect(tried.toSorted()).toEqual([one, one, two, two].map(({ port }) => `127.0.0.1:${port}`).toSorted());
  });
});
