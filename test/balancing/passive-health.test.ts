import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { startUpstream } from '../support/upstream.ts';
import { startBalanced } from './gateway.ts';
import { at, nameOf, oneAndTwo } from './targets.ts';

setDefaultTimeout(30_000);

const [one, two] = oneAndTwo();
const gone = startUpstream();
gone.stop();

const passive = (unhealthy: object, healthy: object = {}) => ({ healthchecks: { passive: { unhealthy, healthy } } });
const NO_PEER = 'failure to get a peer from the ring-balancer';
const SHORT = { connect_timeout: 300, read_timeout: 300, write_timeout: 300 };

describe('what takes a target out', () => {
  test.each<[string, object, object, Parameters<typeof one.answer>[0] | 'gone', string]>([
    ['as many bad statuses as it says', {}, { http_failures: 2 }, { status: 500 }, 'UNHEALTHY'],
    ['only statuses that it says', {}, { http_failures: 2, http_statuses: [503] }, { status: 500 }, 'HEALTHY'],
    ['nothing that it does not count', {}, { http_failures: 0, tcp_failures: 2 }, { status: 500 }, 'HEALTHY'],
    ['connections that are closed', {}, { tcp_failures: 2 }, 'reset', 'UNHEALTHY'],
    ['connections that are refused', {}, { tcp_failures: 2 }, 'gone', 'UNHEALTHY'],
    ['answers that do not come', SHORT, { timeouts: 2 }, 'silence', 'UNHEALTHY'],
    ['no answers that do not come, where only failures count', SHORT, { tcp_failures: 2 }, 'silence', 'HEALTHY'],
    ['nothing at all', {}, {}, { status: 500 }, 'HEALTHCHECKS_OFF'],
  ])('%s', async (_, service, unhealthy, answer, word) => {
    const bad = answer === 'gone' ? gone : one;
    if (answer !== 'gone') one.answer(answer);
    await using gateway = await startBalanced({ targets: [at(bad), at(two)], upstream: passive(unhealthy), service });
    await gateway.send(4, '/', { method: 'PUT', body: 'x' });
    expect(await gateway.health()).toEqual({
      [nameOf(bad)]: word,
      [nameOf(two)]: word === 'HEALTHCHECKS_OFF' ? word : 'HEALTHY',
    });
    if (word !== 'UNHEALTHY') return;
    const { length } = one.requests;
    for (const response of await gateway.send(4)) expect(await response.text()).toBe('two');
    expect(one.requests).toHaveLength(length);
  });
});

test('a success forgets failures', async () => {
  await using gateway = await startBalanced({ targets: [at(one)], upstream: passive({ http_failures: 2 }, { successes: 1 }) });
  for (const status of [500, 200, 500, 200, 500]) {
    one.answer({ status });
    await gateway.send(1);
  }
  expect(await gateway.health()).toEqual({ [nameOf(one)]: 'HEALTHY' });
});

test('with nobody left the answer is 503, until somebody says that a target is well', async () => {
  one.answer({ status: 500 });
  await using gateway = await startBalanced({ targets: [at(one)], upstream: passive({ http_failures: 1 }) });
  await gateway.send(1);
  one.answer({ body: 'one' });
  const refused = await fetch(gateway.url);
  expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([503, NO_PEER]);
  await gateway.admin('PUT', `/upstreams/backend/targets/${nameOf(one)}/healthy`);
  expect(await (await fetch(gateway.url)).text()).toBe('one');
  expect(gateway.said('warn')).toEqual(['a target is unhealthy', 'a target is healthy']);
});

test('below its threshold the whole upstream is out', async () => {
  const upstream = { healthchecks: { threshold: 50, passive: { unhealthy: { http_failures: 1 } } } };
  await using gateway = await startBalanced({ targets: [at(one, 50), at(two, 50)], upstream });
  expect((await fetch(gateway.url)).status).toBe(200);
  await gateway.admin('PUT', `/upstreams/backend/targets/${nameOf(one)}/unhealthy`);
  expect((await fetch(gateway.url)).status).toBe(503);
  expect(await gateway.admin('GET', '/upstreams/backend/health?balancer_health=1')).toMatchObject({
    data: { health: 'UNHEALTHY', details: { healthy: false, weight: { total: 100, available: 50, unavailable: 50 } } },
    next: null,
    node_id: 'node',
  });
});

test('health is kept while the upstream is changed, and forgotten with the target', async () => {
  await using gateway = await startBalanced({ targets: [at(one), at(two)], upstream: passive({ http_failures: 1 }) });
  await gateway.admin('PUT', `/upstreams/backend/targets/${nameOf(one)}/unhealthy`);
  await gateway.admin('PATCH', '/upstreams/backend', { tags: ['changed'] });
  await gateway.admin('POST', '/upstreams/backend/targets', { target: '127.0.0.3:1', weight: 0 });
  expect(await gateway.health()).toMatchObject({ [nameOf(one)]: 'UNHEALTHY', [nameOf(two)]: 'HEALTHY' });
  await gateway.admin('DELETE', `/upstreams/backend/targets/${nameOf(one)}`);
  await gateway.admin('POST', '/upstreams/backend/targets', at(one));
  expect(await gateway.health()).toMatchObject({ [nameOf(one)]: 'HEALTHY' });
});

describe('the Admin API', () => {
  test('tells how targets are', async () => {
    await using gateway = await startBalanced({ targets: [at(one), 'nobody.invalid:80'], upstream: passive({ http_failures: 1 }) });
    await gateway.send(1);
    const { data, next, node_id } = await gateway.admin('GET', '/upstreams/backend/health');
    const address = { ip: '127.0.0.1', port: one.port, weight: 100 };
    const weight = { total: 100, available: 100, unavailable: 0 };
    expect({ next, node_id }).toEqual({ next: null, node_id: 'node' });
    expect(data).toContainEqual(
      expect.objectContaining({
        target: nameOf(one),
        health: 'HEALTHY',
        data: { host: '127.0.0.1', port: one.port, dns: 'A', nodeWeight: 100, weight, addresses: [{ ...address, health: 'HEALTHY' }] },
      }),
    );
    expect(data).toContainEqual(
      expect.objectContaining({ target: 'nobody.invalid:80', health: 'DNS_ERROR', data: expect.objectContaining({ addresses: [] }) }),
    );
  });

  test('tells nothing of health where it is not watched', async () => {
    await using gateway = await startBalanced({ targets: [at(one)] });
    const { data } = await gateway.admin('GET', '/upstreams/backend/health?balancer_health=1');
    expect(data).toEqual({ health: 'HEALTHCHECKS_OFF', id: expect.any(String) });
    await expect(gateway.admin('PUT', `/upstreams/backend/targets/${nameOf(one)}/unhealthy`)).rejects.toThrow(
      '400 {"message":"no healthchecker found for backend"}',
    );
  });

  test.each<[string, string, string]>([
    ['PUT', '/upstreams/nobody/targets/x/healthy', '404 {"message":"Not found"}'],
    ['PUT', '/upstreams/backend/targets/127.0.0.9:1/healthy', '404 {"message":"Not found"}'],
    ['GET', '/upstreams/nobody/health', '404 {"message":"Not found"}'],
    ['POST', '/upstreams/backend/health', '405 {"message":"Method not allowed"}'],
    ['GET', '/upstreams/backend/health?size=0', '400'],
  ])('%s %s', async (method, path, words) => {
    await using gateway = await startBalanced({ targets: [at(one)], upstream: passive({ http_failures: 1 }) });
    await expect(gateway.admin(method, path)).rejects.toThrow(words);
  });

  test.each<[string, string]>([
    [`${nameOf(one)}/${nameOf(one)}/unhealthy`, 'UNHEALTHY'],
    [`${nameOf(one)}/127.0.0.1:1/unhealthy`, 'HEALTHY'],
  ])('sets one address: %s', async (path, word) => {
    await using gateway = await startBalanced({ targets: [at(one)], upstream: passive({ http_failures: 1 }) });
    await gateway.admin('PUT', `/upstreams/backend/targets/${path}`);
    expect(await gateway.health()).toEqual({ [nameOf(one)]: word });
  });
});
