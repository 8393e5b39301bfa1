import { expect, test } from 'bun:test';
import { defineEntity } from '../../src/entities/entity.ts';
import { foreign, integer, record, set, string } from '../../src/schema/field.ts';
import { openAdmin, play } from './harness.ts';

/** An entity that nobody wrote a line of the Admin API for, and that has no name to be called by. */
const badges = defineEntity({
  name: 'badges',
  schema: record(
    {
      id: string({ uuid: true, auto: true }),
      created_at: integer({ timestamp: true, auto: true }),
      colour: string({ required: true }),
      owner: foreign('consumers', { required: true, on_delete: 'cascade' }),
      tags: set(string()),
    },
    { required: true },
  ),
});

const ID = 'fedcbafe-2222-4333-8444-555555555555';
const row = (fields: object) => expect.objectContaining(fields);

test('an entity has its paths, its schema and its tags from its declaration alone', async () => {
  const api = await openAdmin({}, [badges]);
  await play(
    [
      ['POST', '/consumers', { id: ID, username: 'u' }, 201],
      ['POST', '/consumers/u/badges', { colour: 'red', tags: ['t'] }, 201, row({ colour: 'red', owner: { id: ID } })],
      ['POST', '/badges', { colour: 'blue', owner: { username: 'u' } }, 201, row({ colour: 'blue', owner: { id: ID } })],
      ['POST', '/badges', { colour: 'blue' }, 400, row({ fields: { owner: 'required field missing' } })],
      ['PUT', `/badges/${ID}`, { colour: 'green', owner: { id: ID } }, 200, row({ id: ID, colour: 'green' })],
      ['GET', `/consumers/u/badges/${ID}`, undefined, 200, row({ colour: 'green' })],
      ['GET', `/badges/${ID}/owner`, undefined, 200, row({ username: 'u' })],
      ['GET', '/badges?tags=t', undefined, 200, { data: [row({ colour: 'red' })], next: null }],
      ['GET', '/tags/t', undefined, 200, { data: [row({ entity_name: 'badges' })], next: null }],
      ['GET', '/schemas/badges', undefined, 200, row({ fields: expect.any(Array) })],
      ['POST', '/schemas/badges/validate', { colour: 1, owner: { id: ID } }, 400],
      ['DELETE', '/consumers/u', undefined, 204],
      ['GET', '/badges', undefined, 200, { data: [], next: null }],
    ],
    api,
  );
  expect((await api.get('/endpoints')).data).toContain('/consumers/{consumers}/badges/{badges}');
});

test.each(['GET', 'PUT', 'PATCH', 'DELETE'])('%s by something that is no id, of an entity without names', async method => {
  const api = await openAdmin({}, [badges]);
  const answer = {
    message: `invalid primary key: '{id="expected a valid UUID"}'`,
    name: 'invalid primary key',
    code: 1,
    fields: { id: 'expected a valid UUID' },
  };
  await play([[method, '/badges/red', undefined, 400, answer]], api);
});
