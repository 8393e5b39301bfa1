import { expect } from 'bun:test';
import { NOT_FOUND, names, noSuchReference, row, rows, uniqueViolation } from './answers.ts';
import { get, ID, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Table, THIRD_ID } from './scenario.ts';

const DEFAULTS = { id: expect.any(String), created_at: expect.any(Number), updated_at: expect.any(Number), tags: null };
const GROUP = post('/consumer_groups', { id: ID, name: 'gold' }, 201);
const BOB = post('/consumers', { id: OTHER_ID, username: 'bob' }, 201);
const ANN = post('/consumers', { id: THIRD_ID, username: 'ann' }, 201);
const FILE_LOG = { name: 'file-log', config: { path: '/tmp/a.log' } };

/** Kong's open-source gateway has no groups: paths and bodies are those that go-kong sends and reads. */
export const consumerGroups: Table = {
  'every verb, by id and by name': [
    post('/consumer_groups', { name: 'gold' }, 201, { ...DEFAULTS, name: 'gold' }),
    post('/consumer_groups', { name: 'gold' }, 409, uniqueViolation('name', 'gold')),
    ...refused('POST', '/consumer_groups', [
      [{ tags: ['t'] }, { name: 'required field missing' }],
      [{ name: 'silver', colour: 'red' }, { colour: 'unknown field' }],
      [{ name: 'silver', id: 'x' }, { id: 'expected a valid UUID' }],
    ]),
    patch('/consumer_groups/gold', { tags: ['t'] }, 200, row({ name: 'gold', tags: ['t'] })),
    put(`/consumer_groups/${ID}`, { name: 'silver' }, 200, { ...DEFAULTS, id: ID, name: 'silver' }),
    put('/consumer_groups/bronze', { tags: ['t'] }, 200, row({ name: 'bronze' })),
    patch('/consumer_groups/silver', { name: 'gold' }, 409, uniqueViolation('name', 'gold')),
    get('/consumer_groups', 200, names('name', 'gold', 'silver', 'bronze')),
    get('/consumer_groups?tags=t', 200, names('name', 'gold', 'bronze')),
    get('/consumer_groups/gold', 200, { consumer_group: row({ name: 'gold' }), consumers: [], plugins: [] }),
    get(`/consumer_groups/${ID}`, 200, row({ consumer_group: row({ name: 'silver' }) })),
    patch('/consumer_groups/nobody', { tags: ['t'] }, 404, NOT_FOUND),
    get('/consumer_groups/nobody', 404),
    remove('/consumer_groups/gold', 204, null),
    remove('/consumer_groups/gold', 204, null),
    remove(`/consumer_groups/${ID}`, 204, null),
    get('/consumer_groups', 200, names('name', 'bronze')),
  ],
  'consumers in a group, from both ends': [
    GROUP,
    BOB,
    ANN,
    post(
      '/consumer_groups/gold/consumers',
      { consumer: 'bob' },
      201,
      row({ consumer_group: row({ id: ID }), consumers: [row({ username: 'bob' })] }),
    ),
    post(`/consumer_groups/${ID}/consumers`, { consumer: 'bob' }, 409),
    post('/consumers/ann/consumer_groups', { group: 'gold' }, 201),
    get('/consumer_groups/gold/consumers', 200, row({ data: expect.arrayContaining([row({ id: OTHER_ID }), row({ id: THIRD_ID })]) })),
    get('/consumer_groups/gold', 200, row({ consumers: expect.arrayContaining([row({ username: 'bob' }), row({ username: 'ann' })]) })),
    get('/consumers/bob/consumer_groups', 200, row({ data: [row({ name: 'gold' })] })),
    get('/consumer_groups/gold/consumers/bob', 200, row({ consumer: row({ id: OTHER_ID }) })),
    remove('/consumer_groups/gold/consumers/bob', 204, null),
    get('/consumer_groups/gold/consumers/bob', 404),
    remove('/consumers/ann/consumer_groups/gold', 204, null),
    get('/consumer_groups/gold', 200, row({ consumers: [] })),
    post('/consumer_groups/gold/consumers', { consumer: 'nobody' }, 404),
    post('/consumer_groups/nobody/consumers', { consumer: 'bob' }, 404),
    get('/consumers/bob', 200, row({ username: 'bob' })),
  ],
  'a group goes, its consumers stay': [
    GROUP,
    BOB,
    post('/consumer_groups/gold/consumers', { consumer: OTHER_ID }, 201),
    remove('/consumer_groups/gold', 204, null),
    get('/consumers/bob/consumer_groups', 200, row({ data: [] })),
    GROUP,
    post('/consumer_groups/gold/consumers', { consumer: 'bob' }, 201),
    remove('/consumers/bob', 204, null),
    get('/consumer_groups/gold', 200, row({ consumers: [] })),
  ],
  'plugins of a group': [
    GROUP,
    post('/consumer_groups/gold/plugins', { id: THIRD_ID, ...FILE_LOG }, 201, row({ consumer_group: { id: ID } })),
    post('/plugins', { ...FILE_LOG, consumer_group: { name: 'gold' } }, 409, row({ code: 5 })),
    post('/plugins', FILE_LOG, 201, row({ consumer_group: null })),
    post('/plugins', { ...FILE_LOG, consumer_group: { id: NOBODY } }, 400, noSuchReference('consumer_group', 'consumer_groups', NOBODY)),
    get('/consumer_groups/gold/plugins', 200, rows({ id: THIRD_ID })),
    get('/consumer_groups/gold', 200, row({ plugins: [row({ id: THIRD_ID })] })),
    get(`/plugins/${THIRD_ID}/consumer_group`, 200, expect.anything()),
    remove('/consumer_groups/gold', 204, null),
    get(`/plugins/${THIRD_ID}`, 404, NOT_FOUND),
  ],
};
