import { describe, expect, test } from 'bun:test';
import { encodings, openAdmin } from './harness.ts';

const ID = 'fedcbafe-2222-4333-8444-555555555555';
const row = (fields: object) => expect.objectContaining(fields);

describe('lists', () => {
  const names = (answer: { data: { name: string }[] }) => answer.data.map(one => one.name).sort();

  test('come in pages that together are everything', async () => {
    const api = await openAdmin();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await api.send('PUT', `/services/${name}`, ...encodings.json({ host: 'h', tags: ['t'] }));
    const seen: string[] = [];
    let next: string | null = '/services?size=2&tags=t';
    while (next !== null) {
      const answer = await api.get(next);
      expect('offset' in answer).toBe(answer.next !== null);
      if (answer.next !== null) expect(answer.next).toStartWith(`/services?offset=${encodeURIComponent(answer.offset)}&tags=t&size=2`);
      seen.push(...names(answer));
      next = answer.next;
    }
    expect(seen.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('pages below another row go on below it', async () => {
    const api = await openAdmin();
    await api.send('PUT', `/services/${ID}`, ...encodings.json({ name: 's', host: 'h' }));
    for (const name of ['a', 'b', 'c']) await api.send('POST', '/services/s/routes', ...encodings.json({ name, paths: ['/'] }));
    const first = await api.get('/services/s/routes?size=2');
    expect(first.next).toStartWith(`/services/${ID}/routes?offset=`);
    const second = await api.get(first.next);
    expect([...names(first), ...names(second)].sort()).toEqual(['a', 'b', 'c']);
    expect(second).not.toHaveProperty('offset');
  });

  test.each([
    ['tags=x', ['a', 'b']],
    ['tags=x,y', ['b']],
    ['tags=x/y', ['a', 'b', 'c']],
    ['tags=nobody', []],
    ['tags=sp%20ace', ['c']],
    ['', ['a', 'b', 'c']],
  ])('are chosen by %s', async (query, expected) => {
    const api = await openAdmin();
    await api.send('PUT', '/services/a', ...encodings.json({ host: 'h', tags: ['x'] }));
    await api.send('PUT', '/services/b', ...encodings.json({ host: 'h', tags: ['x', 'y'] }));
    await api.send('PUT', '/services/c', ...encodings.json({ host: 'h', tags: ['y', 'sp ace'] }));
    expect(names(await api.get(`/services?${query}`))).toEqual(expected);
  });

  test.each([
    ['size=0', { code: 9, message: 'size must be an integer between 1 and 1000' }],
    ['size=1001', { code: 9, message: 'size must be an integer between 1 and 1000' }],
    ['size=1.5', { code: 9, message: 'size must be an integer between 1 and 1000' }],
    ['size=x', { code: 9, message: 'size must be a number' }],
    ['size=', { code: 9, message: 'size must be a number' }],
    ['offset=!', { code: 7, name: 'invalid offset' }],
    ['tags=', { code: 11, message: 'invalid option (tags: invalid filter syntax)', options: { tags: 'invalid filter syntax' } }],
    ['tags=a,b/c', { code: 11, message: 'invalid option (tags: invalid filter syntax)' }],
    ['tags=a,b,c,d,e,f', { code: 11, message: 'invalid option (tags: cannot query more than 5 tags)' }],
  ])('refuse %s', async (query, expected) => {
    const response = await (await openAdmin()).send('GET', `/services?${query}`);
    expect([response.status, await response.json()]).toEqual([400, row(expected)]);
  });
});
