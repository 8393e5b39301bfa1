import { expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import { validate } from '../../src/schema/validate.ts';

const nothing = { id: null, created_at: null, updated_at: null, username: null, custom_id: null, tags: null };

test.each([
  [{ username: 'ada' }, { value: { ...nothing, username: 'ada' } }],
  [{ custom_id: '7' }, { value: { ...nothing, custom_id: '7' } }],
  [{ username: 'Ada Lovelace', tags: ['x', 'x'] }, { value: { ...nothing, username: 'Ada Lovelace', tags: ['x'] } }],
  [{}, { errors: { '@entity': ["at least one of these fields must be non-empty: 'custom_id', 'username'"] } }],
  [{ username: 'a', custom_id: '' }, { errors: { custom_id: 'length must be at least 1' } }],
  [{ username: 'a', password: 'b' }, { errors: { password: 'unknown field' } }],
])('a consumer of %j', (input, result) => {
  expect(validate(consumer.schema, input)).toEqual(result as never);
});
