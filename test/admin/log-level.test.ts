import { describe, expect, jest, test } from 'bun:test';
import { openAdmin } from './harness.ts';

test.each([
  ['', 60],
  ['?timeout=5', 5],
])('a level set with "%s" holds for %d seconds', async (query, seconds) => {
  jest.useFakeTimers();
  try {
    const api = await openAdmin();
    await api.send('PUT', `/debug/node/log-level/debug${query}`);
    await api.send('PUT', `/debug/node/log-level/info${query}`);
    jest.advanceTimersByTime(seconds * 1000 - 1);
    expect(await api.get('/debug/node/log-level')).toEqual({ message: 'log level: info' });
    jest.advanceTimersByTime(1);
    expect(await api.get('/debug/node/log-level')).toEqual({ message: 'log level: notice' });
  } finally {
    jest.useRealTimers();
  }
});

describe('/debug/node/log-level', () => {
  test('is read and changed', async () => {
    const api = await openAdmin();
    expect(await api.get('/debug/node/log-level')).toEqual({ message: 'log level: notice' });
    expect(await (await api.send('PUT', '/debug/node/log-level/debug')).json()).toEqual({ message: 'log level changed' });
    expect(await api.get('/debug/node/log-level')).toEqual({ message: 'log level: debug' });
    expect(await (await api.send('PUT', '/debug/node/log-level/debug')).json()).toEqual({ message: 'log level is already debug' });
  });

  test.each([
    ['loud', '', 'unknown log level: loud'],
    ['debug', '?timeout=-1', 'timeout must be greater than or equal to 0'],
    ['debug', '?timeout=x', 'timeout must be greater than or equal to 0'],
    ['debug', '?timeout=9999999', 'timeout must be at most 2000000'],
  ])('refuses %s%s', async (level, query, message) => {
    const api = await openAdmin();
    const response = await api.send('PUT', `/debug/node/log-level/${level}${query}`);
    expect([response.status, await response.json()]).toEqual([400, { message }]);
    expect(await api.get('/debug/node/log-level')).toEqual({ message: 'log level: notice' });
  });
});
