import { afterAll, describe, expect, test } from 'bun:test';
import { serveConfigurations } from '../../support/served.ts';

const rig = await serveConfigurations();
afterAll(rig.close);

const serving = (...plugins: readonly object[]) =>
  rig.load({
    consumers: [
      { username: 'ann', keyauth_credentials: [{ key: 'ann' }] },
      { username: 'bob', basicauth_credentials: [{ username: 'bob', password: 'pw' }] },
      { username: 'nobody' },
    ],
    services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'] }] }],
    plugins,
  });

const ANNS = { apikey: 'ann' };
const BOBS = { authorization: `Basic ${btoa('bob:pw')}` };
const BAD = { apikey: 'x', authorization: 'Basic eDp5' };
const either = { anonymous: 'nobody' };

/** Who passes, or the scheme that who does not is asked for. */
async function answersTo(...requests: readonly Record<string, string>[]) {
  const answers = [];
  for (const headers of requests) {
    const { status, headers: said, sent } = await rig.ask('/', { headers });
    answers.push(status === 200 ? sent?.header('x-consumer-username') : said.get('www-authenticate'));
  }
  return answers;
}

describe('of several ways to authenticate', () => {
  test('one will do, where each has an anonymous consumer', async () => {
    await serving({ name: 'key-auth', config: either }, { name: 'basic-auth', config: either });
    // The first that knows the client decides.
    expect(await answersTo(ANNS, BOBS, { ...ANNS, ...BOBS }, { ...BAD, ...ANNS }, { ...BAD, ...BOBS }, BAD, {})).toEqual([
      'ann',
      'bob',
      'ann',
      'ann',
      'bob',
      'nobody',
      'nobody',
    ]);
  });

  test('nobody passes without, where the anonymous consumer is turned away', async () => {
    await serving(
      { name: 'key-auth', config: either },
      { name: 'basic-auth', config: either },
      { name: 'request-termination', consumer: 'nobody', config: { status_code: 401, message: 'who are you?' } },
    );
    const statuses = await Promise.all([ANNS, BOBS, BAD, {}].map(async headers => (await rig.ask('/', { headers })).status));
    expect(statuses).toEqual([200, 200, 401, 401]);
  });

  test('all are needed, where none has an anonymous consumer, and the last says whose the request is', async () => {
    await serving({ name: 'key-auth' }, { name: 'basic-auth' });
    expect(await answersTo({ ...ANNS, ...BOBS }, ANNS, BOBS, {})).toEqual(['bob', 'Basic realm="service"', 'Key', 'Key']);
  });

  test('a later one without an anonymous consumer is needed, whoever came before', async () => {
    await serving({ name: 'key-auth', config: either }, { name: 'basic-auth' });
    expect(await answersTo(ANNS, BOBS, { ...ANNS, ...BOBS })).toEqual(['Basic realm="service"', 'bob', 'bob']);
  });

  test('an earlier one that knows the client is enough for a later one with an anonymous consumer', async () => {
    await serving({ name: 'key-auth' }, { name: 'basic-auth', config: either });
    expect(await answersTo(ANNS, { ...ANNS, ...BOBS }, BOBS)).toEqual(['ann', 'ann', 'Key']);
  });
});

test('a browser’s question passes by the one that need not see it, as who it is by then', async () => {
  await serving({ name: 'jwt', config: either }, { name: 'key-auth', config: { run_on_preflight: false } });
  const { sent } = await rig.ask('/', { method: 'OPTIONS', headers: { 'X-Consumer-ID': 'me' } });
  expect([sent?.header('x-consumer-username'), sent?.header('x-anonymous-consumer')]).toEqual(['nobody', 'true']);
});

test('what is refused has the client’s media type, and says nothing of the credential', async () => {
  await serving({ name: 'key-auth' });
  const { text, headers } = await rig.ask('/?apikey=s3cret', { headers: { accept: 'text/html', authorization: 'Bearer s3cret' } });
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(text + JSON.stringify([...headers])).not.toContain('s3cret');
  expect(JSON.stringify(rig.lines)).not.toContain('s3cret');
});

test('a consumer that is taken away is nobody from then on', async () => {
  await serving({ name: 'key-auth' });
  expect((await rig.ask('/', { headers: ANNS })).status).toBe(200);
  await rig.load({ services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'] }] }], plugins: [{ name: 'key-auth' }] });
  expect((await rig.ask('/', { headers: ANNS })).status).toBe(401);
});
