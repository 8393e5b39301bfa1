import { expect, test } from 'bun:test';
import { consumerGroup } from '../../src/entities/consumer-group.ts';
import { consumerGroupConsumer } from '../../src/entities/consumer-group-consumer.ts';
import { validate } from '../../src/schema/validate.ts';

const nothing = { id: null, created_at: null };

test.each([
  [{ name: 'gold' }, { value: { ...nothing, updated_at: null, name: 'gold', tags: null } }],
  [{ name: 'Gold customers', tags: ['x'] }, { value: { ...nothing, updated_at: null, name: 'Gold customers', tags: ['x'] } }],
  [{}, { errors: { name: 'required field missing' } }],
  [{ name: '' }, { errors: { name: 'length must be at least 1' } }],
  [{ name: 'a', consumers: [] }, { errors: { consumers: 'unknown field' } }],
])('a group of %j', (input, result) => {
  expect(validate(consumerGroup.schema, input)).toEqual(result as never);
});

test('a membership names both', () => {
  const consumer = { id: 'aaaaaaaa-0000-4000-8000-000000000000' };
  const consumer_group = { id: 'bbbbbbbb-0000-4000-8000-000000000000' };
  expect(validate(consumerGroupConsumer.schema, { consumer, consumer_group })).toEqual({
    value: { ...nothing, consumer, consumer_group } as never,
  });
  expect(validate(consumerGroupConsumer.schema, { consumer })).toEqual({ errors: { consumer_group: 'required field missing' } });
});
