import { describe, expect, test } from 'bun:test';
import { encodings, openAdmin } from './harness.ts';

const SERVICE = encodings.json({ host: 'h' });

describe('with a token', () => {
  const open = () => openAdmin({ token: 'secret' });

  test.each<[string, Record<string, string>, number]>([
    ['Authorization: Bearer', { authorization: 'Bearer secret' }, 200],
    ['bearer in lower case', { authorization: 'bearer secret' }, 200],
    ['Kong-Admin-Token', { 'kong-admin-token': 'secret' }, 200],
    ['the token, from a page', { 'kong-admin-token': 'secret', origin: 'https://gui.example.com' }, 200],
    ['the token, under another name of this host', { 'kong-admin-token': 'secret', host: 'admin.example.com' }, 200],
    ['no token', {}, 401],
    ['an empty token', { 'kong-admin-token': '' }, 401],
    ['a wrong token', { authorization: 'Bearer Secret' }, 401],
    ['a longer token', { authorization: 'Bearer secrets' }, 401],
    ['another scheme', { authorization: 'Basic secret' }, 401],
    ['a wrong token beside the right one', { authorization: 'Bearer secret', 'kong-admin-token': 'x' }, 401],
  ])('%s', async (_name, headers, status) => {
    const response = await (await open()).send('GET', '/services', undefined, headers);
    expect(response.status).toBe(status);
    if (status === 401) {
      expect(await response.json()).toEqual({ message: 'Unauthorized' });
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('without it nothing is written, and no path tells whether it exists', async () => {
    const api = await open();
    expect((await api.send('POST', '/services', ...SERVICE)).status).toBe(401);
    expect((await api.send('GET', '/nothing')).status).toBe(401);
    const kept = await api.send('GET', '/services', undefined, { 'kong-admin-token': 'secret' });
    expect(await kept.json()).toEqual({ data: [], next: null });
  });

  test('a browser may ask what is allowed before it sends the token', async () => {
    const response = await (await open()).send('OPTIONS', '/services', undefined, { origin: 'https://gui.example.com' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://gui.example.com');
    expect(response.headers.get('access-control-allow-headers')).toContain('Kong-Admin-Token');
  });
});

describe('without a token', () => {
  test.each<[string, Record<string, string>, number]>([
    ['curl on this machine', { host: 'localhost:8001' }, 201],
    ['curl by address', { host: '127.0.0.1:8001' }, 201],
    ['curl by IPv6 address', { host: '[::1]:8001' }, 201],
    ['the web UI', { host: 'localhost:8001', origin: 'http://localhost:8002' }, 201],
    ['the web UI by address', { host: '127.0.0.1:8001', origin: 'http://127.0.0.1:8002' }, 201],
    ['a form on a page from elsewhere', { host: 'localhost:8001', origin: 'https://evil.example' }, 403],
    ['a page whose name only begins like this machine', { host: 'localhost:8001', origin: 'https://localhost.evil.example' }, 403],
    ['a page whose name begins like an address', { host: 'localhost:8001', origin: 'https://127.0.0.1.evil.example' }, 403],
    ['a sandboxed page', { host: 'localhost:8001', origin: 'null' }, 403],
    ['a name rebound to this machine', { host: 'evil.example:8001' }, 403],
    ['a name rebound to this machine, and its page', { host: 'evil.example:8001', origin: 'http://evil.example:8001' }, 403],
  ])('%s', async (_name, headers, status) => {
    const api = await openAdmin();
    const response = await api.send('POST', '/services', SERVICE[0], { ...SERVICE[1], ...headers });
    expect(response.status).toBe(status);
    expect((await api.get('/services')).data).toHaveLength(status === 201 ? 1 : 0);
  });

  test('a page from elsewhere reads nothing either', async () => {
    const response = await (await openAdmin()).send('GET', '/services', undefined, { origin: 'https://evil.example' });
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
  });
});

describe('with admin_gui_url', () => {
  const GUI = 'https://manager.example:8445';
  const open = (token: string | null) => openAdmin({ token, guiOrigins: [GUI, 'http://10.0.0.1:8002'] });

  test.each<[string, Record<string, string>, number]>([
    ['its pages', { host: 'localhost:8001', origin: GUI }, 201],
    ['its pages elsewhere', { host: 'localhost:8001', origin: 'http://10.0.0.1:8002' }, 201],
    ['its pages, on their own host', { host: 'manager.example:8001', origin: GUI }, 201],
    ['curl, on their host', { host: 'manager.example:8001' }, 201],
    ['curl on this machine', { host: 'localhost:8001' }, 201],
    ['another port of that host', { host: 'localhost:8001', origin: 'https://manager.example' }, 403],
    ['another scheme of that host', { host: 'localhost:8001', origin: 'http://manager.example:8445' }, 403],
    ['a page from elsewhere', { host: 'localhost:8001', origin: 'https://evil.example' }, 403],
    ['a name rebound to this machine', { host: 'evil.example:8001' }, 403],
  ])('and no token: %s', async (_name, headers, status) => {
    const api = await open(null);
    expect((await api.send('POST', '/services', SERVICE[0], { ...SERVICE[1], ...headers })).status).toBe(status);
  });

  test.each<[string, string | null, string | undefined, string, string | null]>([
    ['its page', null, GUI, GUI, 'true'],
    ['its page, and a token', 'secret', GUI, GUI, 'true'],
    ['another page', 'secret', 'https://evil.example', GUI, 'true'],
    ['curl', null, undefined, GUI, 'true'],
  ])('a browser is told who may read: %s', async (_name, token, origin, allowed, credentials) => {
    const { headers } = await (await open(token)).send('GET', '/services', undefined, {
      ...(origin && { origin }),
      'kong-admin-token': 'secret',
    });
    expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials'), headers.get('vary')]).toEqual([
      allowed,
      credentials,
      'Origin',
    ]);
  });

  test('a browser that asks may send the headers it asks for', async () => {
    const response = await (await open('secret')).send('OPTIONS', '/services', undefined, {
      origin: GUI,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-anything',
    });
    expect([
      response.status,
      response.headers.get('access-control-allow-headers'),
      response.headers.get('access-control-allow-methods'),
    ]).toEqual([204, 'content-type,x-anything', 'GET, HEAD, OPTIONS, POST']);
  });
});

describe('without admin_gui_url', () => {
  test.each<[string | undefined, string, string | null]>([
    ['http://localhost:8002', 'http://localhost:8002', 'true'],
    ['https://elsewhere.example', 'https://elsewhere.example', null],
    [undefined, '*', null],
  ])('credentials that a browser adds of itself are for pages of this machine: %s', async (origin, allowed, credentials) => {
    const { headers } = await (await openAdmin({ token: 'secret' })).send(
      'GET',
      '/services',
      undefined,
      origin === undefined ? {} : { origin },
    );
    expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual([allowed, credentials]);
  });
});
