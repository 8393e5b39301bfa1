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
