import { describe, expect, test } from 'bun:test';
import { encodings, openAdmin } from './harness.ts';

describe('every answer', () => {
  test.each([
    ['GET', '/services'],
    ['GET', '/nothing'],
    ['PUT', '/services'],
    ['GET', '/services/x'],
  ])('%s %s says who answers, how fast, and in which type', async (method, path) => {
    const { headers } = await (await openAdmin()).send(method, path);
    expect(headers.get('server')).toBe('sluice/0.1.0');
    expect(headers.get('x-kong-admin-latency')).toMatch(/^\d+$/);
    expect(headers.get('x-kong-admin-request-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  test('to HEAD is that to GET without its body', async () => {
    const api = await openAdmin();
    await api.send('PUT', '/services/a', ...encodings.json({ host: 'h' }));
    for (const [path, status] of [
      ['/services/a', 200],
      ['/services/b', 404],
      ['/services', 200],
    ] as const) {
      const response = await api.send('HEAD', path);
      expect([response.status, await response.text()]).toEqual([status, '']);
    }
  });

  test.each([
    ['/services', 'GET, HEAD, OPTIONS, POST'],
    ['/services/x', 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT'],
    ['/schemas/services/validate', 'OPTIONS, POST'],
    ['/status', 'GET, HEAD, OPTIONS'],
  ])('to OPTIONS %s names the methods', async (path, methods) => {
    const response = await (await openAdmin()).send('OPTIONS', path);
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('allow')).toBe(methods);
    expect(response.headers.get('access-control-allow-methods')).toBe(methods);
  });

  test('to a method that is not allowed names those that are', async () => {
    const response = await (await openAdmin()).send('DELETE', '/services');
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
  });
});

describe('the log', () => {
  const who = { client: '127.0.0.1', authenticated: false };
  const secret = {
    name: 'sample',
    config: { route_type: 'llm/v1/chat', auth: { header_value: 'Bearer key-1' }, model: { provider: 'openai' } },
  };

  test('has one line for each write, refused ones too, without body or query', async () => {
    const api = await openAdmin();
    const made = await (await api.send('POST', '/plugins?x=query-1', ...encodings.json(secret))).json();
    await api.send('POST', '/plugins', ...encodings.json({ ...secret, config: { ...secret.config, route_type: 'x' } }));
    await api.send('DELETE', '/services/none');
    await api.send('GET', '/plugins');
    expect(api.lines.map(({ message, facts }) => [message, facts])).toEqual([
      [
        'admin request',
        {
          ...who,
          method: 'POST',
          path: '/plugins',
          status: 201,
          entity: 'plugins',
          id: (made as { id: string }).id,
          request_id: expect.any(String),
        },
      ],
      [
        'admin request',
        { ...who, method: 'POST', path: '/plugins', status: 400, entity: 'plugins', id: null, request_id: expect.any(String) },
      ],
      [
        'admin request',
        { ...who, method: 'DELETE', path: '/services/none', status: 204, entity: 'services', id: null, request_id: expect.any(String) },
      ],
    ]);
    expect(JSON.stringify(api.lines)).not.toMatch(/key-1|query-1/);
  });

  test.each<[string, string, Record<string, string>, number, object]>([
    ['without the token', '/services', {}, 401, { authenticated: false }],
    ['with a wrong token', '/services', { 'kong-admin-token': 'guess-1' }, 401, { authenticated: false }],
    [
      'of a type it does not take',
      '/services',
      { 'kong-admin-token': 'token-1', 'content-type': 'text/plain' },
      415,
      { authenticated: true },
    ],
    ['to a path that is not there', '/nothing', { 'kong-admin-token': 'token-1' }, 404, { authenticated: true }],
    [
      'to a path that takes none',
      '/status?key=query-1',
      { authorization: 'Bearer token-1' },
      405,
      { authenticated: true, path: '/status' },
    ],
    ['that is whole', '/services', { 'kong-admin-token': 'token-1', 'content-type': 'application/json' }, 201, { entity: 'services' }],
  ])('has a line for a write %s', async (_name, path, headers, status, facts) => {
    const api = await openAdmin({ token: 'token-1' });
    expect((await api.send('POST', path, '{"host":"h","tags":["body-1"]}', headers)).status).toBe(status);
    expect(api.lines).toHaveLength(1);
    expect(api.lines[0]?.facts).toMatchObject({ client: '127.0.0.1', method: 'POST', status, ...facts });
    expect(JSON.stringify(api.lines)).not.toMatch(/token-1|guess-1|query-1|body-1/);
  });

  test('tells of what nobody expected, the client only that it happened', async () => {
    const onFire = () => Promise.reject(new Error('disk on fire'));
    const broken = { write: onFire, rehearse: onFire };
    const api = await openAdmin({ gateway: broken });
    const response = await api.send('POST', '/services', ...encodings.json({ host: 'h' }));
    expect([response.status, await response.json()]).toEqual([500, { message: 'An unexpected error occurred' }]);
    const [line] = api.lines;
    expect([line?.level, line?.facts?.['request_id']]).toEqual(['error', response.headers.get('x-kong-admin-request-id')]);
    expect(String(line?.facts?.['error'])).toContain('disk on fire');
    expect((await api.get('/services')).data).toEqual([]);
  });
});
