import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createHmac, createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { newFolder, type RunningGateway, runExecutable, startGateway } from '../support/executable.ts';
import { openssl, opensslPair } from '../support/openssl.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

/** On a connection of its own, so that any worker may get it. */
const ask = async (gateway: RunningGateway, path = '/', headers: Record<string, string> = {}) => {
  const response = await fetch(gateway.proxy + path, { keepalive: false, headers: { ...headers, connection: 'close' } });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const statusWith = async (gateway: RunningGateway, key: string) => (await ask(gateway, '/', { apikey: key })).status;

async function made(gateway: RunningGateway, path: string, body: object = {}): Promise<Record<string, string>> {
  const { status, body: answer } = await gateway.request('POST', path, body);
  expect([path, status, answer]).toEqual([path, 201, expect.any(Object)]);
  return answer as Record<string, string>;
}

async function serviceAt(gateway: RunningGateway, { url }: Upstream): Promise<void> {
  await made(gateway, '/services', { name: 'api', url });
  await made(gateway, '/services/api/routes', { name: 'all', paths: ['/'], strip_path: false });
  await made(gateway, '/consumers', { username: 'ann', custom_id: '42' });
}

test.skipIf(!openssl)(
  'every way to authenticate works as an operator sets it up, and the log says who came and by what, no more',
  async () => {
    const upstream = startUpstream();
    await using gateway = await startGateway();
    await serviceAt(gateway, upstream);
    await made(gateway, '/plugins', { name: 'file-log', config: { path: join(gateway.folder, 'access.log') } });
    for (const name of ['key-auth', 'basic-auth', 'jwt', 'hmac-auth'])
      await made(gateway, `/routes`, { name, paths: [`/${name}`], strip_path: false, service: { name: 'api' } });
    await made(gateway, '/routes/key-auth/plugins', { name: 'key-auth', config: { key_names: ['X-Team-Key'], hide_credentials: true } });
    await made(gateway, '/routes/key-auth/plugins', { name: 'acl', config: { allow: ['dev'] } });
    await made(gateway, '/routes/basic-auth/plugins', { name: 'basic-auth', config: { hide_credentials: true } });
    await made(gateway, '/routes/jwt/plugins', { name: 'jwt', config: { claims_to_verify: ['exp'], uri_param_names: ['token'] } });
    await made(gateway, '/routes/hmac-auth/plugins', { name: 'hmac-auth', config: { enforce_headers: ['date', '@request-target'] } });

    const key = await made(gateway, '/consumers/ann/key-auth');
    await made(gateway, '/consumers/ann/acls', { group: 'dev' });
    const basic = await made(gateway, '/consumers/ann/basic-auth', { username: 'ann', password: 's3cret:pw' });
    const hmac = await made(gateway, '/consumers/ann/hmac-auth', { username: 'ann' });
    const hs256 = await made(gateway, '/consumers/ann/jwt');
    const { privatePem, publicPem } = opensslPair('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048');
    const rs256 = await made(gateway, '/consumers/ann/jwt', { key: 'of ann', algorithm: 'RS256', rsa_public_key: publicPem });

    const token = (algorithm: string, iss: string | undefined, privateKey: Parameters<SignJWT['sign']>[0]) =>
      new SignJWT({ iss: iss ?? '', exp: Math.floor(Date.now() / 1000) + 60 }).setProtectedHeader({ alg: algorithm }).sign(privateKey);
    const symmetric = await token('HS256', hs256['key'], Buffer.from(hs256['secret'] ?? ''));
    const asymmetric = await token('RS256', rs256['key'], createPrivateKey(privatePem));
    const date = new Date().toUTCString();
    const signed = createHmac('sha256', hmac['secret'] ?? '')
      .update(`date: ${date}\n@request-target: get /hmac-auth?a=1`)
      .digest('base64');
    const signature = `hmac username="ann", algorithm="hmac-sha256", headers="date @request-target", signature="${signed}"`;
    const password = `Basic ${btoa('ann:s3cret:pw')}`;

    const ways: readonly (readonly [
      path: string,
      headers: Record<string, string>,
      credential: Record<string, string>,
      identifier: string | undefined,
    ])[] = [
      ['/key-auth', { 'X-Team-Key': key['key'] ?? '' }, key, key['id']],
      ['/basic-auth', { authorization: password }, basic, 'ann'],
      [`/jwt?token=${symmetric}`, {}, hs256, hs256['key']],
      ['/jwt', { authorization: `Bearer ${asymmetric}` }, rs256, 'of ann'],
      ['/hmac-auth?a=1', { date, authorization: signature }, hmac, 'ann'],
    ];
    for (const [path, headers, , identifier] of ways) {
      expect([path, (await ask(gateway, path, headers)).status]).toEqual([path, 200]);
      const sent = upstream.requests.at(-1);
      const told = ['username', 'custom-id'].map(name => sent?.header(`x-consumer-${name}`));
      expect([...told, sent?.header('x-credential-identifier')]).toEqual(['ann', '42', identifier]);
      expect((await ask(gateway, path.split('?')[0])).status).toBe(401);
    }
    expect(upstream.requests.find(({ target }) => target === '/key-auth')?.header('x-consumer-groups')).toBe('dev');
    await gateway.stop();

    const log = readFileSync(join(gateway.folder, 'access.log'), 'utf8');
    const entries = log
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(({ response }) => response.status === 200);
    // Workers write when each has something to write.
    const said = entries.map(({ consumer, authenticated_entity }) => [consumer.username, authenticated_entity.id]);
    expect(said.sort()).toEqual(ways.map(([, , credential]) => ['ann', credential['id']]).sort());
    const secrets = [key['key'], hmac['secret'], hs256['secret'], symmetric, asymmetric, signed, password.slice(6), 's3cret'];
    for (const secret of secrets) expect([log, JSON.stringify(gateway.log)].some(text => text.includes(secret ?? '?'))).toBe(false);
    upstream.stop();
  },
);

test('a key is in no log, also where somebody else refuses the request first', async () => {
  await using gateway = await startGateway();
  await made(gateway, '/routes', { name: 'all', paths: ['/'] });
  await made(gateway, '/plugins', { name: 'key-auth', config: { key_names: ['x-team'] } });
  await made(gateway, '/plugins', { name: 'bot-detection' });
  await made(gateway, '/plugins', { name: 'file-log', config: { path: join(gateway.folder, 'access.log') } });
  const { status } = await ask(gateway, '/?x-team=open-sesame', { 'x-team': 'open-sesame', 'user-agent': 'bingbot' });
  expect(status).toBe(403);
  await gateway.stop();
  const log = readFileSync(join(gateway.folder, 'access.log'), 'utf8');
  expect([log.includes('bingbot'), log.includes('open-sesame')]).toEqual([true, false]);
});

test('a key in a path is in no log', async () => {
  await using gateway = await startGateway();
  await made(gateway, '/consumers', { username: 'ann' });
  await made(gateway, '/consumers/ann/key-auth', { key: 'open-sesame' });
  await gateway.request('PATCH', '/key-auths/open-sesame', { tags: ['t'] });
  await gateway.request('PUT', '/consumers/ann/key-auth/open-sesame', {});
  await gateway.request('DELETE', '/consumers/ann/key-auth/open-sesame');
  await gateway.logged(({ method }) => method === 'DELETE');
  expect(JSON.stringify(gateway.log)).not.toContain('open-sesame');
});

describe('with several workers', () => {
  const environment = { SLUICE_WORKERS: '3' };
  const pidsOf = async (gateway: RunningGateway) =>
    ((await gateway.request('GET', '/')).body as { pids: { workers: number[] } }).pids.workers;
  /** What each of them, sooner or later, answers. */
  const statuses = async (gateway: RunningGateway, key: string) => {
    const found = new Set<number>();
    for (let asked = 0; asked < 30; asked++) found.add(await statusWith(gateway, key));
    return [...found];
  };

  test('each knows a credential from the next request on, and forgets it so', async () => {
    const upstream = startUpstream();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, upstream);
    await made(gateway, '/plugins', { name: 'key-auth' });
    expect(await statuses(gateway, 'k')).toEqual([401]);
    await made(gateway, '/consumers/ann/key-auth', { key: 'k' });
    expect(await statuses(gateway, 'k')).toEqual([200]);
    await gateway.request('PATCH', '/key-auths/k', { key: 'other' });
    expect([await statuses(gateway, 'k'), await statuses(gateway, 'other')]).toEqual([[401], [200]]);
    await made(gateway, '/plugins', { name: 'acl', config: { allow: ['dev'] } });
    expect(await statuses(gateway, 'other')).toEqual([403]);
    await made(gateway, '/consumers/ann/acls', { group: 'dev' });
    expect(await statuses(gateway, 'other')).toEqual([200]);
    await gateway.request('DELETE', '/consumers/ann/acls/dev');
    expect(await statuses(gateway, 'other')).toEqual([403]);
    await gateway.request('DELETE', '/consumers/ann');
    expect(await statuses(gateway, 'other')).toEqual([401]);
    upstream.stop();
  });

  test('a key for a time ends in all of them, also in one that comes later, and its row is gone', async () => {
    const upstream = startUpstream();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, upstream);
    await made(gateway, '/plugins', { name: 'key-auth' });
    await made(gateway, '/consumers/ann/key-auth', { key: 'long', ttl: 1000 });
    await made(gateway, '/consumers/ann/key-auth', { key: 'short', ttl: 2 });
    expect(await statusWith(gateway, 'short')).toBe(200);
    const [first = 0] = await pidsOf(gateway);
    process.kill(first, 'SIGKILL');
    while ((await statusWith(gateway, 'short').catch(() => 200)) === 200);
    while ((await pidsOf(gateway)).includes(first) || (await pidsOf(gateway)).length < 3);
    expect([await statuses(gateway, 'short'), await statuses(gateway, 'long')]).toEqual([[401], [200]]);
    while ((await gateway.request('GET', '/key-auths/short')).status === 200);
    expect((await gateway.request('GET', '/key-auths')).body).toMatchObject({ data: [{ key: 'long', ttl: expect.any(Number) }] });
    upstream.stop();
  });

  test('configurations for a consumer and for a group apply in each of them', async () => {
    const upstream = startUpstream();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, upstream);
    await made(gateway, '/consumers', { username: 'bob' });
    await made(gateway, '/consumer_groups', { name: 'gold' });
    await made(gateway, '/consumer_groups/gold/consumers', { consumer: 'bob' });
    for (const name of ['ann', 'bob']) await made(gateway, `/consumers/${name}/key-auth`, { key: name });
    await made(gateway, '/plugins', { name: 'key-auth' });
    await made(gateway, '/consumers/ann/plugins', { name: 'request-termination', config: { status_code: 418 } });
    await made(gateway, '/consumer_groups/gold/plugins', { name: 'request-termination', config: { status_code: 420 } });
    expect([await statuses(gateway, 'ann'), await statuses(gateway, 'bob')]).toEqual([[418], [420]]);
    upstream.stop();
  });
});

test('a vendor of models gets its own key, and none of the gateway’s', async () => {
  const vendor = startUpstream();
  vendor.answer({ headers: { 'content-type': 'application/json' }, body: '{"choices":[],"model":"m"}' });
  await using gateway = await startGateway();
  await made(gateway, '/routes', { name: 'chat', paths: ['/chat'] });
  await made(gateway, '/consumers', { username: 'ann' });
  await made(gateway, '/consumers/ann/key-auth', { key: 'gateway-key' });
  await made(gateway, '/plugins', { name: 'key-auth', config: { key_names: ['authorization', 'x-team', 'team'], key_in_body: true } });
  await made(gateway, '/routes/chat/plugins', {
    name: 'ai-proxy',
    config: {
      route_type: 'llm/v1/chat',
      auth: { header_name: 'Authorization', header_value: 'Bearer vendor-key' },
      model: { provider: 'openai', name: 'm', options: { upstream_url: `${vendor.url}/v1/chat/completions` } },
    },
  });
  const chat = async (query: string, headers: Record<string, string>, more: object = {}) => {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...more });
    return (
      await fetch(`${gateway.proxy}/chat${query}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
    ).status;
  };
  const ways = [
    await chat('', { authorization: 'gateway-key' }),
    await chat('', { 'x-team': 'gateway-key' }),
    await chat('?team=gateway-key', {}),
    await chat('', {}, { team: 'gateway-key' }),
  ];
  expect(ways).toEqual([200, 200, 200, 200]);

  await made(gateway, '/routes', { name: 'any', paths: ['/any'] });
  await made(gateway, '/routes/any/plugins', {
    name: 'ai-proxy',
    config: {
      route_type: 'preserve',
      auth: { header_name: 'Authorization', header_value: 'Bearer vendor-key' },
      model: { provider: 'openai', options: { upstream_url: `${vendor.url}/v1/audio/transcriptions` } },
    },
  });
  const form = new FormData();
  for (const name of ['file', 'team', 'x-team']) form.append(name, name === 'file' ? 'sound' : 'gateway-key');
  for (const body of [form, new URLSearchParams({ file: 'sound', team: 'gateway-key', 'x-team': 'gateway-key' })])
    expect((await fetch(`${gateway.proxy}/any`, { method: 'POST', body })).status).toBe(200);
  expect(vendor.requests.slice(-2).every(request => request.text().includes('sound'))).toBe(true);
  for (const request of vendor.requests) {
    expect([request.target, JSON.stringify(request.headers), request.text()].join()).not.toContain('gateway-key');
    expect(request.header('authorization')).toBe('Bearer vendor-key');
  }
  expect(await chat('', { authorization: 'wrong' })).toBe(401);
  vendor.stop();
});

describe('files', () => {
  const declarative = (url: string) => `
_format_version: "3.0"
services:
- {name: api, url: "${url}", routes: [{name: all, paths: [/]}]}
plugins:
- {name: key-auth, config: {anonymous: nobody}}
- {name: basic-auth, config: {anonymous: nobody}}
- {name: acl, config: {allow: [dev]}}
consumers:
- username: nobody
- username: ann
  keyauth_credentials: [{key: k1}, {key: k2, ttl: 1000}, {tags: [made up]}]
  basicauth_credentials: [{username: ann, password: pw}]
  jwt_secrets: [{key: j, secret: s}]
  hmacauth_credentials: [{username: ann}]
  acls: [{group: dev}]
acls:
- {consumer: nobody, group: guests}
keyauth_credentials:
- {consumer: ann, key: flat}
`;
  const passes = async (gateway: RunningGateway) => {
    const basic = await ask(gateway, '/', { authorization: `Basic ${btoa('ann:pw')}` });
    return [...(await Promise.all(['k1', 'k2', 'flat', 'other'].map(key => statusWith(gateway, key)))), basic.status];
  };
  const PASSES = [200, 200, 200, 403, 200];

  test('come into a database and out of it again as they were, credentials nested and flat', async () => {
    const upstream = startUpstream();
    const [first, second] = [newFolder(), newFolder()];
    writeFileSync(join(first, 'kong.yaml'), declarative(upstream.url));
    expect(await runExecutable(['import', 'kong.yaml'], { folder: first })).toMatchObject({ exitCode: 0 });
    const exported = (await runExecutable(['export'], { folder: first })).stdout;
    expect(exported).not.toContain('password: pw');
    writeFileSync(join(second, 'kong.yaml'), exported);
    expect(await runExecutable(['import', 'kong.yaml'], { folder: second })).toMatchObject({ exitCode: 0 });
    expect((await runExecutable(['export'], { folder: second })).stdout).toBe(exported);
    // What is there already is not written again: keys that were made up stay, and so does the end of the one that has one.
    expect((await runExecutable(['import', 'kong.yaml'], { folder: second })).stdout).toBe('0 entities written to sqlite://sluice.db\n');
    await using gateway = await startGateway({ folder: second });
    expect(await passes(gateway)).toEqual(PASSES);
    upstream.stop();
  });

  test('serve without a database, and again when they are loaded again', async () => {
    const upstream = startUpstream();
    const folder = newFolder();
    writeFileSync(join(folder, 'kong.yaml'), declarative(upstream.url));
    const environment = { SLUICE_DATABASE: 'off', SLUICE_DECLARATIVE_CONFIG: 'kong.yaml' };
    await using gateway = await startGateway({ folder, environment });
    const keys = async () =>
      ((await gateway.request('GET', '/key-auths')).body as { data: { key: string }[] }).data.map(({ key }) => key).sort();
    const before = await keys();
    expect([await passes(gateway), before.length]).toEqual([PASSES, 4]);
    gateway.signal('SIGHUP');
    await gateway.logged(({ message }) => message === 'configuration loaded again');
    expect([await passes(gateway), await keys()]).toEqual([PASSES, before]);
    expect((await gateway.request('POST', '/consumers/ann/key-auth', {})).status).toBe(405);
    upstream.stop();
  });

  test('that say a key twice are refused without it being said', async () => {
    const folder = newFolder();
    const twice = `${declarative('http://localhost')}- {consumer: nobody, key: flat}\n- {consumer: ann, key: flat, colour: red}\n`;
    writeFileSync(join(folder, 'kong.yaml'), twice);
    const { exitCode, stderr } = await runExecutable(['check', 'kong.yaml'], { folder });
    expect([exitCode, stderr.includes('flat')]).toEqual([1, false]);
    expect(stderr).toContain("uniqueness violation: 'keyauth_credentials' entity with key set to '[redacted]' already declared");
  });
});

test('a gateway without the plugin lets a consumer go with the credentials that it has', async () => {
  const folder = newFolder();
  {
    await using gateway = await startGateway({ folder });
    await made(gateway, '/consumers', { username: 'ann' });
    await made(gateway, '/consumers/ann/key-auth', { key: 'k' });
    await gateway.stop();
  }
  await using gateway = await startGateway({ folder, environment: { SLUICE_PLUGINS: 'file-log' } });
  expect((await gateway.request('DELETE', '/consumers/ann')).status).toBe(204);
  expect((await gateway.request('GET', '/consumers')).body).toEqual({ data: [], next: null });
});
