import { describe, expect, test } from 'bun:test';
import { defineEntity } from '../../src/entities/entity.ts';
import { foreign, integer, record, set, string } from '../../src/schema/field.ts';
import { openAdmin, play, type Step } from './harness.ts';

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

/** An entity whose names mean something below one consumer only, and that is called otherwise in paths. */
const pets = defineEntity({
  name: 'house_pets',
  endpointKey: 'call',
  cacheKey: ['keeper', 'call'],
  adminApiName: 'house-pets',
  adminApiNestedName: 'pets',
  schema: record(
    {
      id: string({ uuid: true, auto: true }),
      call: string({ required: true }),
      colour: string(),
      keeper: foreign('consumers', { required: true, on_delete: 'cascade' }),
    },
    { required: true },
  ),
});

/** One that has no paths. */
const secrets = defineEntity({
  name: 'secrets',
  generateAdminApi: false,
  schema: record({ id: string({ uuid: true, auto: true }), owner: foreign('consumers') }, { required: true }),
});

/** One with a name of its own in paths, and one below others. */
const keyRings = defineEntity({
  name: 'key_rings',
  endpointKey: 'name',
  adminApiName: 'key-rings',
  adminApiNestedName: 'rings',
  schema: record(
    { id: string({ uuid: true, auto: true }), name: string({ unique: true }), owner: foreign('consumers') },
    { required: true },
  ),
});

/** A credential, found by what it keeps secret. */
const passes = defineEntity({
  name: 'passes',
  endpointKey: 'code',
  endpointIsSecret: true,
  schema: record(
    {
      id: string({ uuid: true, auto: true }),
      code: string({ required: true, unique: true, encrypted: true }),
      owner: foreign('consumers'),
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

describe('names that are unique below a parent only', () => {
  const OTHER = 'abcdefab-2222-4333-8444-555555555555';
  const rex = row({ id: OTHER, call: 'rex', keeper: { id: ID } });
  const NOT_FOUND = { message: 'Not found' };
  const before: readonly Step[] = [
    ['POST', '/consumers', { id: ID, username: 'u' }, 201],
    ['POST', '/consumers', { username: 'v' }, 201],
    ['POST', '/consumers/u/pets', { id: OTHER, call: 'rex' }, 201, rex],
    ['POST', '/consumers/v/pets', { call: 'rex' }, 201, row({ call: 'rex' })],
  ];

  test.each<[string, readonly Step[]]>([
    ['the same name below another parent is another row', [['GET', '/consumers/u/pets', undefined, 200, { data: [rex], next: null }]]],
    ['all of them', [['GET', '/consumers/u/pets/all', undefined, 200, { data: [rex], next: null }]]],
    [
      'twice below one parent',
      [['POST', '/consumers/u/pets', { call: 'rex' }, 409, row({ code: 5, fields: { keeper: { id: ID }, call: 'rex' } })]],
    ],
    [
      'a name or an id finds it',
      [
        ['GET', '/consumers/u/pets/rex', undefined, 200, rex],
        ['GET', `/consumers/u/pets/${OTHER}`, undefined, 200, rex],
        ['GET', `/consumers/v/pets/${OTHER}`, undefined, 404, NOT_FOUND],
        ['GET', '/consumers/u/pets/tom', undefined, 404, NOT_FOUND],
        ['GET', '/consumers/w/pets/rex', undefined, 404, NOT_FOUND],
      ],
    ],
    [
      'PATCH and PUT change it, and make none',
      [
        ['PATCH', '/consumers/u/pets/rex', { colour: 'red' }, 200, row({ id: OTHER, colour: 'red' })],
        ['PUT', '/consumers/u/pets/rex', { colour: 'blue' }, 200, row({ id: OTHER, colour: 'blue' })],
        ['PUT', '/consumers/u/pets/tom', { colour: 'blue' }, 404, NOT_FOUND],
        ['PATCH', '/consumers/u/pets/tom', { colour: 'blue' }, 404, NOT_FOUND],
      ],
    ],
    [
      'DELETE removes that one',
      [
        ['DELETE', '/consumers/u/pets/rex', undefined, 204],
        ['DELETE', '/consumers/u/pets/rex', undefined, 404, NOT_FOUND],
        ['GET', '/consumers/v/pets/rex', undefined, 200, row({ call: 'rex' })],
      ],
    ],
    [
      'they have no paths of their own',
      [
        ['GET', '/house-pets', undefined, 404, NOT_FOUND],
        ['GET', '/house_pets', undefined, 404, NOT_FOUND],
        ['GET', `/house-pets/${OTHER}`, undefined, 404, NOT_FOUND],
        ['GET', `/house-pets/${OTHER}/keeper`, undefined, 404, NOT_FOUND],
      ],
    ],
  ])('%s', async (_name, steps) => {
    await play([...before, ...steps], await openAdmin({}, [pets]));
  });
});

test('an entity may be called otherwise in paths, or have none', async () => {
  const api = await openAdmin({}, [keyRings, secrets]);
  await play(
    [
      ['POST', '/consumers', { id: ID, username: 'u' }, 201],
      ['POST', '/key-rings', { name: 'k' }, 201],
      ['POST', '/consumers/u/rings', { name: 'l' }, 201, row({ owner: { id: ID } })],
      ['GET', '/consumers/u/rings/l', undefined, 200, row({ name: 'l' })],
      ['GET', '/key-rings/l/owner', undefined, 200, row({ username: 'u' })],
      ['GET', '/key_rings', undefined, 404],
      ['GET', '/secrets', undefined, 404],
      ['GET', '/consumers/u/secrets', undefined, 404],
      ['GET', '/schemas/key_rings', undefined, 200],
    ],
    api,
  );
  const page = await api.get('/key-rings?size=1');
  expect(page.next).toBe(`/key-rings?offset=${page.offset}&size=1`);
  expect((await api.get('/endpoints')).data).toEqual(
    expect.arrayContaining(['/key-rings/{key_rings}', '/consumers/{consumers}/rings/{key_rings}']),
  );
});

test.each([
  ['PATCH', '/passes/open-sesame', '/passes/[redacted]'],
  ['PUT', '/passes/open-sesame/', '/passes/[redacted]'],
  ['PUT', '/passes/open-sesame/owner', '/passes/[redacted]/owner'],
  ['DELETE', '/consumers/u/passes/open-sesame', '/consumers/u/passes/[redacted]'],
  ['POST', '/consumers/u/passes', '/consumers/u/passes'],
  ['DELETE', '/consumers/u/pass/open-sesame', '/consumers/[redacted]'],
  ['DELETE', '//passes/open-sesame', '//[redacted]'],
  ['DELETE', '/passes/of/open-sesame', '/passes/[redacted]'],
])('a secret that names a row is not in the log: %s %s', async (method, path, audited) => {
  for (const token of [null, 'a token that was forgotten']) {
    const api = await openAdmin({ token }, [passes]);
    await api.send(method, path);
    expect(api.lines.at(-1)?.facts?.['path']).toBe(audited);
    expect(JSON.stringify(api.lines)).not.toContain('sesame');
  }
});
