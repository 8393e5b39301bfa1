import { expect, test } from 'bun:test';
import { target } from '../../src/entities/target.ts';
import { validate, validateChange } from '../../src/schema/validate.ts';

const upstream = { id: 'aaaaaaaa-0000-4000-8000-000000000000' };

test('a target needs a server and an upstream', () => {
  expect(validate(target.schema, { target: 'a.test', upstream })).toEqual({
    value: {
      id: null as never,
      created_at: null as never,
      updated_at: null as never,
      upstream,
      target: 'a.test:8000',
      weight: 100,
      tags: null,
    },
  });
  expect(validate(target.schema, {})).toEqual({ errors: { target: 'required field missing', upstream: 'required field missing' } });
});

const LOOPBACK = '[0000:0000:0000:0000:0000:0000:0000:0001]';

test.each([
  ['a.test', 'a.test:8000'],
  ['a.test:80', 'a.test:80'],
  ['A.Test', 'A.Test:8000'],
  ['10.0.0.1', '10.0.0.1:8000'],
  ['10.0.0.1:0', '10.0.0.1:0'],
  ['001.002.003.004:0123', '1.2.3.4:123'],
  ['::1', `${LOOPBACK}:8000`],
  ['[::1]', `${LOOPBACK}:8000`],
  ['[::1]:80', `${LOOPBACK}:80`],
  ['2001:DB8::A:1', '[2001:0db8:0000:0000:0000:0000:000a:0001]:8000'],
  ['1:2:3:4:5:6:7::', '[0001:0002:0003:0004:0005:0006:0007:0000]:8000'],
  ['::', '[0000:0000:0000:0000:0000:0000:0000:0000]:8000'],
])('%s is kept as %s, and kept so', (given, kept) => {
  for (const text of [given, kept]) expect(validate(target.schema, { target: text, upstream })).toMatchObject({ value: { target: kept } });
});

test.each(['a b', 'http://a', 'a:99999', 'a:1.0', '256.0.0.1', '10.1', '1::2::3', '[::1]x', '::ffff:10.0.0.1', 'a-'])(
  '%s is refused',
  text => {
    expect(validate(target.schema, { target: text, upstream })).toEqual({
      errors: { target: `Invalid target ('${text}'); not a valid hostname or ip address` },
    });
  },
);

test.each([
  [{ weight: 0 }, undefined],
  [{ weight: 65535 }, undefined],
  [{ weight: 65536 }, { weight: 'value should be between 0 and 65535' }],
  [{ weight: 1.5 }, { weight: 'expected an integer' }],
  [{ created_at: 1485523507.446 }, undefined],
  [{ upstream: { id: 'x' } }, { upstream: { id: 'expected a valid UUID' } }],
])('with %j: %j', (input, errors) => {
  const result = validate(target.schema, { target: 'a', upstream, ...input });
  expect('errors' in result ? result.errors : undefined).toEqual(errors as never);
});

test('a change may say another server, or leave it', () => {
  const row = { ...upstream, created_at: 1, updated_at: 1, upstream, target: 'a.test:8000', weight: 100, tags: null };
  expect(validateChange(target.schema, row, { weight: 5 })).toEqual({ value: { ...row, weight: 5 } });
  expect(validateChange(target.schema, row, { target: 'b.test' })).toEqual({ value: { ...row, target: 'b.test:8000' } });
});
