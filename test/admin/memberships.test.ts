import { expect, test } from 'bun:test';
import { encodings, openAdmin, play, type Step } from './harness.ts';

const GROUP = 'fedcbafe-2222-4333-8444-555555555555';
const CONSUMER = 'abcdefab-2222-4333-8444-555555555555';
const NOBODY = '00000000-2222-4333-8444-555555555555';
const row = (fields: object) => expect.objectContaining(fields);
const gold = row({ id: GROUP, name: 'gold' });
const ann = row({ id: CONSUMER, username: 'ann' });

const BEFORE: readonly Step[] = [
  ['POST', '/consumer_groups', { id: GROUP, name: 'gold' }, 201, gold],
  ['POST', '/consumer_groups', { name: 'silver' }, 201],
  ['POST', '/consumers', { id: CONSUMER, username: 'ann' }, 201, ann],
  ['POST', '/consumers', { username: 'bob' }, 201],
];

const scenarios: Record<string, readonly Step[]> = {
  'a group takes a consumer, shows it and lets it go': [
    ['POST', '/consumer_groups/gold/consumers', { consumer: 'ann' }, 201, { consumer_group: gold, consumers: [ann] }],
    ['GET', '/consumer_groups/gold/consumers', undefined, 200, { data: [ann], next: null }],
    ['GET', '/consumer_groups/gold/consumers/ann', undefined, 200, { consumer: ann }],
    ['GET', `/consumer_groups/${GROUP}/consumers/${CONSUMER}`, undefined, 200, { consumer: ann }],
    ['GET', '/consumers/ann/consumer_groups', undefined, 200, { data: [gold], next: null }],
    ['GET', '/consumers/ann/consumer_groups/gold', undefined, 200, { consumer_group: gold }],
    ['DELETE', '/consumer_groups/gold/consumers/ann', undefined, 204],
    ['GET', '/consumer_groups/gold/consumers', undefined, 200, { data: [], next: null }],
    ['GET', '/consumers/ann', undefined, 200, ann],
  ],
  'a consumer joins a group and leaves it': [
    ['POST', '/consumers/ann/consumer_groups', { group: GROUP }, 201, { consumer: ann, consumer_groups: [gold] }],
    ['GET', '/consumer_groups/gold/consumers/ann', undefined, 200, { consumer: ann }],
    ['DELETE', '/consumers/ann/consumer_groups/gold', undefined, 204],
    ['GET', '/consumers/ann/consumer_groups', undefined, 200, { data: [], next: null }],
  ],
  'several at once, and all of them gone at once': [
    ['POST', '/consumer_groups/gold/consumers', { consumer: ['ann', 'bob'] }, 201, row({ consumers: [ann, row({ username: 'bob' })] })],
    ['POST', '/consumers/ann/consumer_groups', { group: ['silver'] }, 201],
    ['DELETE', '/consumer_groups/gold/consumers', undefined, 204],
    ['GET', '/consumer_groups/gold/consumers', undefined, 200, { data: [], next: null }],
    ['DELETE', '/consumer_groups/gold/consumers', undefined, 404, { message: `Group '${GROUP}' has no consumers` }],
    ['GET', '/consumers/ann/consumer_groups', undefined, 200, { data: [row({ name: 'silver' })], next: null }],
    ['DELETE', '/consumers/ann/consumer_groups', undefined, 204],
    ['DELETE', '/consumers/ann/consumer_groups', undefined, 404, { message: `Consumer '${CONSUMER}' not in group` }],
  ],
  'a group is shown with its consumers and plugins, unless those are not wanted': [
    ['POST', '/consumer_groups/gold/consumers', { consumer: 'ann' }, 201],
    ['GET', '/consumer_groups/gold', undefined, 200, { consumer_group: gold, consumers: [ann], plugins: [] }],
    ['GET', '/consumer_groups/gold?list_consumers=false', undefined, 200, { consumer_group: gold, plugins: [] }],
    ['GET', '/consumer_groups', undefined, 200, { data: expect.arrayContaining([gold]), next: null }],
    ['PATCH', '/consumer_groups/gold', { tags: ['a'] }, 200, row({ name: 'gold', tags: ['a'] })],
    ['PUT', '/consumer_groups/bronze', {}, 200, row({ name: 'bronze' })],
    ['DELETE', '/consumer_groups/gold', undefined, 204],
    ['GET', '/consumers/ann/consumer_groups', undefined, 200, { data: [], next: null }],
  ],
  'what is refused, and changes nothing': [
    ['POST', '/consumer_groups/gold/consumers', {}, 400, { message: 'must provide consumer' }],
    ['POST', '/consumer_groups/gold/consumers', { consumer: [] }, 400, { message: 'must provide consumer' }],
    ['POST', '/consumer_groups/gold/consumers', { consumer: 1 }, 400, { message: 'must provide consumer' }],
    ['POST', '/consumers/ann/consumer_groups', {}, 400, { message: 'must provide group' }],
    ['POST', '/consumer_groups/gold/consumers', { consumer: 'eve' }, 404, { message: `Consumer 'eve' not found` }],
    ['POST', '/consumer_groups/gold/consumers', { consumer: ['ann', 'eve'] }, 404, { message: `Consumer 'eve' not found` }],
    ['POST', '/consumer_groups/tin/consumers', { consumer: 'ann' }, 404, { message: `Group 'tin' not found` }],
    ['POST', '/consumers/eve/consumer_groups', { group: 'gold' }, 404, { message: `Consumer 'eve' not found` }],
    ['POST', '/consumers/ann/consumer_groups', { group: NOBODY }, 404, { message: `Group '${NOBODY}' not found` }],
    ['GET', '/consumer_groups/tin', undefined, 404, { message: `Group 'tin' not found` }],
    ['GET', '/consumer_groups/gold/consumers/ann', undefined, 404, { message: `Consumer '${CONSUMER}' not found in Group '${GROUP}'` }],
    ['DELETE', '/consumers/ann/consumer_groups/gold', undefined, 404, { message: `Consumer '${CONSUMER}' not found in Group '${GROUP}'` }],
    ['POST', '/consumer_groups/gold/consumers', { consumer: ['ann', 'ann'] }, 409],
    ['GET', '/consumer_groups/gold/consumers', undefined, 200, { data: [], next: null }],
    ['POST', '/consumer_groups/gold/consumers', { consumer: 'ann' }, 201],
    ['POST', '/consumer_groups/gold/consumers', { consumer: 'ann' }, 409, { message: `Consumer 'ann' already in group '${GROUP}'` }],
    ['POST', '/consumers/ann/consumer_groups', { group: 'gold' }, 409, { message: `Consumer 'ann' already in group 'gold'` }],
    ['PUT', '/consumer_groups/gold/consumers/ann', {}, 405],
    ['GET', '/consumer_group_consumers', undefined, 404, { message: 'Not found' }],
  ],
};

test.each(Object.keys(scenarios))('%s', async name => {
  await play([...BEFORE, ...(scenarios[name] ?? [])]);
});

test('a form names consumers too', async () => {
  const api = await play(BEFORE);
  const response = await api.send('POST', '/consumer_groups/gold/consumers', ...encodings.form({ consumer: 'ann' }));
  expect([response.status, await response.json()]).toEqual([201, { consumer_group: gold, consumers: [ann] }]);
});

test('many consumers of a group come on one page, or in pages where they are asked for', async () => {
  const api = await play(BEFORE);
  const names = Array.from({ length: 120 }, (_, index) => `c${index}`);
  for (const username of names) await api.send('POST', '/consumers', ...encodings.json({ username }));
  await play([['POST', '/consumer_groups/gold/consumers', { consumer: names }, 201]], api);
  expect((await api.get('/consumer_groups/gold/consumers')).data).toHaveLength(120);
  const first = await api.get('/consumer_groups/gold/consumers?size=100');
  expect([first.data.length, (await api.get(first.next)).data.length]).toEqual([100, 20]);
});

test('without a database the members cannot be changed', async () => {
  const api = await openAdmin({ declarative: { isServed: () => false, load: async () => undefined } });
  const response = await api.send('POST', '/consumer_groups', ...encodings.json({ name: 'gold' }));
  expect(response.status).toBe(405);
});
