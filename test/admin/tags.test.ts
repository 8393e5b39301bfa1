import { describe, expect, test } from 'bun:test';
import { encodings, openAdmin } from './harness.ts';

describe('/tags', () => {
  async function tagged() {
    const api = await openAdmin();
    await api.send('PUT', '/services/a', ...encodings.json({ host: 'h', tags: ['x', 'y'] }));
    await api.send('PUT', '/consumers/u', ...encodings.json({ tags: ['x', 'with space'] }));
    const [service, consumer] = [(await api.get('/services/a')).id, (await api.get('/consumers/u')).id];
    const one = (entity_name: string, tag: string) => ({ entity_name, entity_id: entity_name === 'services' ? service : consumer, tag });
    return { api, one };
  }

  test('name who carries them', async () => {
    const { api, one } = await tagged();
    const all = [one('consumers', 'with space'), one('consumers', 'x'), one('services', 'x'), one('services', 'y')];
    expect(await api.get('/tags')).toEqual({ data: all, next: null });
    expect(await api.get('/tags/x')).toEqual({ data: [one('consumers', 'x'), one('services', 'x')], next: null });
    expect(await api.get('/tags/with%20space')).toEqual({ data: [one('consumers', 'with space')], next: null });
    expect(await api.get('/tags/none')).toEqual({ data: [], next: null });
  });

  test.each(['/tags', '/tags/x'])('%s comes in pages', async path => {
    const { api } = await tagged();
    const whole = (await api.get(path)).data;
    const pages: unknown[] = [];
    for (let next = `${path}?size=1`; next !== null; ) {
      const page = await api.get(next);
      pages.push(...page.data);
      next = page.next;
    }
    expect(pages).toEqual(whole);
  });

  test('refuse an offset that is none', async () => {
    const response = await (await openAdmin()).send('GET', '/tags?offset=x');
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: 7 })]);
  });

  test('refuse a tag that none can be', async () => {
    const response = await (await openAdmin()).send('GET', '/tags/a,b');
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        message: "invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
        name: 'invalid unique tag',
        code: 10,
      },
    ]);
  });
});
