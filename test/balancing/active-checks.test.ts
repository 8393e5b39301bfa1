import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { pem } from '../support/certificates.ts';
import { handClock } from '../support/clock.ts';
import type { Answer, Reply } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import { startBalanced } from './gateway.ts';
import { nameOf } from './targets.ts';

setDefaultTimeout(30_000);

const [one, two] = [startUpstream(), startUpstream()];
const secure = startUpstream({ tls: true });
/** It serves nobody who has no certificate of `authority`. */
const mutual = startUpstream({
  tls: { cert: pem('server'), key: pem('server.key'), ca: pem('authority'), requestCert: true, rejectUnauthorized: true },
});
afterAll(() => {
  for (const server of [one, two, secure, mutual]) server.stop();
});
beforeEach(() => {
  for (const server of [one, two, secure, mutual]) server.answer({ body: 'ok' });
});
const gone = startUpstream();
gone.stop();

const LIMITS = { successes: 1, http_failures: 1, tcp_failures: 1, timeouts: 1 };
const active = ({ healthy = {}, unhealthy = {}, ...rest }: { healthy?: object; unhealthy?: object } & Record<string, unknown> = {}) => ({
  healthchecks: {
    active: {
      healthy: { interval: 5, successes: LIMITS.successes, ...healthy },
      unhealthy: { interval: 5, http_failures: 1, tcp_failures: 1, timeouts: 1, ...unhealthy },
      ...rest,
    },
  },
});

/** A gateway whose time stands still; `checked` lets an interval pass and resolves once the target's health is this. */
async function startChecking(upstream: object, ...servers: { readonly port: number }[]) {
  const { clock, pass } = handClock();
  const gateway = await startBalanced({ targets: servers.map(nameOf), upstream, clock });
  const becomes = async (word: string, server = servers[0] as { readonly port: number }) => {
    while ((await gateway.health())[nameOf(server)] !== word) await Bun.sleep(2);
  };
  return Object.assign(gateway, { pass, becomes });
}

describe('what a check finds', () => {
  test.each<[string, Record<string, unknown>, Reply | 'gone', 'UNHEALTHY' | 'HEALTHY']>([
    ['a bad status', {}, { status: 500 }, 'UNHEALTHY'],
    ['a status that it says is bad', { unhealthy: { http_statuses: [418] } }, { status: 418 }, 'UNHEALTHY'],
    ['a status that says nothing', {}, { status: 418 }, 'HEALTHY'],
    ['a good status', {}, { status: 302, headers: { location: 'http://nobody.invalid/' } }, 'HEALTHY'],
    ['no listener', {}, 'gone', 'UNHEALTHY'],
    ['a listener that hangs up', {}, 'reset', 'UNHEALTHY'],
    ['a listener that says nothing', { timeout: 0.05 }, 'silence', 'UNHEALTHY'],
    ['no HTTP', {}, { head: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' } satisfies Answer, 'UNHEALTHY'],
    ['a listener, where that is enough', { type: 'tcp' }, { status: 500 }, 'HEALTHY'],
    ['no listener, where that is all', { type: 'tcp' }, 'gone', 'UNHEALTHY'],
  ])('%s', async (_, checks, answer, word) => {
    const server = answer === 'gone' ? gone : one;
    if (answer !== 'gone') one.answer(answer);
    await using gateway = await startChecking(active(checks), server, two);
    const before = one.requests.length;
    await gateway.pass(5);
    if (word === 'UNHEALTHY') await gateway.becomes(word);
    else if (checks['type'] !== 'tcp') while (one.requests.length === before) await Bun.sleep(2);
    await gateway.pass(0);
    expect(await gateway.health()).toMatchObject({ [nameOf(server)]: word });
  });

  test('a target comes back when a check says so', async () => {
    one.answer({ status: 503 });
    await using gateway = await startChecking(active(), one);
    await gateway.pass(5);
    await gateway.becomes('UNHEALTHY');
    expect((await fetch(gateway.url)).status).toBe(503);
    one.answer({ body: 'back' });
    await gateway.pass(5);
    await gateway.becomes('HEALTHY');
    expect(await (await fetch(gateway.url)).text()).toBe('back');
  });

  test('it takes as many as it says, one after the other', async () => {
    one.answer({ status: 503 });
    await using gateway = await startChecking(active({ unhealthy: { interval: 0, http_failures: 3 } }), one);
    const before = one.requests.length;
    while ((await gateway.health())[nameOf(one)] === 'HEALTHY') {
      await gateway.pass(5);
      await Bun.sleep(2);
    }
    expect(one.requests.length - before).toBe(3);
  });
});

describe('how a check asks', () => {
  const asked = async (upstream: object, server = one) => {
    await using gateway = await startChecking(upstream, server);
    const before = server.requests.length;
    await gateway.pass(5);
    const request = await server.received(before + 1);
    return request;
  };

  test('for the path, with the headers and the host that are configured, on a connection of its own', async () => {
    const headers = { 'X-Probe': ['a', 'b'], 'User-Agent': ['checker'] };
    const request = await asked({ ...active({ http_path: '/health/deep', headers }), host_header: 'api.example' });
    expect([request.method, request.target, request.header('host')]).toEqual(['GET', '/health/deep', 'api.example']);
    expect([request.header('x-probe'), request.header('connection')]).toEqual(['a, b', 'close']);
  });

  test('over TLS', async () => {
    const request = await asked(active({ type: 'https', https_verify_certificate: false }), secure);
    expect(request.target).toBe('/');
  });

  test.each<[string, object, 'UNHEALTHY' | 'HEALTHY']>([
    ['a certificate that nobody vouches for', {}, 'UNHEALTHY'],
    ['a certificate that is not verified', { https_verify_certificate: false }, 'HEALTHY'],
    ['a name that the certificate does not have, not verified', { https_verify_certificate: false, https_sni: 'other.example' }, 'HEALTHY'],
  ])('%s', async (_, checks, word) => {
    await using gateway = await startChecking(active({ type: 'https', ...checks }), secure);
    await gateway.admin('PUT', `/upstreams/backend/targets/${nameOf(secure)}/${word === 'HEALTHY' ? 'unhealthy' : 'healthy'}`);
    await gateway.pass(5);
    await gateway.becomes(word);
  });
});

test('a check shows the certificate of the upstream, as it is now', async () => {
  const id = 'bbbbbbbb-0000-4000-8000-000000000000';
  await using gateway = await startChecking(active({ type: 'https', https_verify_certificate: false }), mutual);
  await gateway.pass(5);
  await gateway.becomes('UNHEALTHY');
  await gateway.admin('POST', '/certificates', { id, cert: pem('client'), key: pem('client.key') });
  await gateway.admin('PATCH', '/upstreams/backend', { client_certificate: { id } });
  await gateway.pass(5);
  await gateway.becomes('HEALTHY');
  await gateway.admin('PATCH', `/certificates/${id}`, { cert: pem('rsa'), key: pem('rsa.key') });
  await gateway.pass(5);
  await gateway.becomes('UNHEALTHY');
});

test('targets that are well and targets that are not have intervals of their own', async () => {
  one.answer({ body: 'ok' });
  await using gateway = await startChecking(active({ healthy: { interval: 0 }, unhealthy: { interval: 3 } }), one, two);
  await gateway.admin('PUT', `/upstreams/backend/targets/${nameOf(one)}/unhealthy`);
  const before = two.requests.length;
  await gateway.pass(3);
  await gateway.becomes('HEALTHY');
  await gateway.pass(10);
  expect(two.requests).toHaveLength(before);
});

test('no more run at once than it says', async () => {
  const many = Array.from({ length: 6 }, () => startUpstream());
  let [open, most] = [0, 0];
  for (const server of many) {
    server.answer(() => {
      most = Math.max(most, ++open);
      setImmediate(() => open--);
      return { body: 'ok' };
    });
  }
  await using gateway = await startChecking(active({ concurrency: 1 }), ...many);
  await gateway.pass(5);
  await Promise.all(many.map(server => server.received()));
  expect(most).toBe(1);
  for (const server of many) server.stop();
});

test('they begin anew with another configuration, and end with the upstream', async () => {
  await using gateway = await startChecking(active(), one);
  await gateway.admin('PATCH', '/upstreams/backend', { healthchecks: { active: { http_path: '/other' } } });
  const before = one.requests.length;
  await gateway.pass(5);
  expect((await one.received(before + 1)).target).toBe('/other');
  await gateway.admin('PATCH', '/services/api', { host: 'elsewhere' });
  await gateway.admin('DELETE', '/upstreams/backend');
  await gateway.pass(30);
  expect(one.requests).toHaveLength(before + 1);
});

test('what cannot be checked is refused', async () => {
  await expect(startChecking(active({ type: 'grpc' }), one)).rejects.toThrow("active checks of type 'grpc' are not supported");
  await using gateway = await startChecking(active({ type: 'grpc', healthy: { interval: 0 }, unhealthy: { interval: 0 } }), one);
  expect(await gateway.health()).toEqual({ [nameOf(one)]: 'HEALTHCHECKS_OFF' });
});
