import { expect, test } from 'bun:test';
import { describe } from '../../src/schema/describe.ts';
import { foreign, record, string } from '../../src/schema/field.ts';
import { validate, validateChange } from '../../src/schema/validate.ts';

const JOE = { id: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' };
const ANN = { id: 'aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff' };

/** As basic-auth has it: the hash depends on whose password it is. */
const credential = record(
  { consumer: foreign('consumers', { required: true }), username: string(), password: string({ match: '^[^:]+$' }), digest: string() },
  {
    transformations: [
      {
        input: ['password'],
        needs: ['consumer.id'],
        on_write: (password: string, id: string) => ({ password: `${password}:${id.slice(-1)}` }),
      },
      { input: ['username'], on_write: (username: string) => ({ digest: `#${username}` }) },
    ],
  },
);

const stored = { consumer: JOE, username: 'joe', password: 'old', digest: '#joe' };
const mismatch = { '@entity': ["all or none of these fields must be set: 'password', 'consumer.id'"] };

test.each<[input: object, result: object]>([
  [{ consumer: JOE, password: 'p' }, { value: { consumer: JOE, username: null, password: 'p:e', digest: null } }],
  [{ consumer: JOE, username: 'joe' }, { value: { consumer: JOE, username: 'joe', password: null, digest: '#joe' } }],
  [{ consumer: JOE, digest: 'own' }, { value: { consumer: JOE, username: null, password: null, digest: 'own' } }],
  [{ consumer: JOE, password: 'p:e' }, { errors: { password: 'invalid value: p:e' } }],
  [{ password: 'p' }, { errors: { consumer: 'required field missing', ...mismatch } }],
])('%j is transformed once it has passed every check', (input, result) => {
  expect(validate<unknown>(credential, input)).toEqual(result as never);
});

test.each<[changes: Record<string, unknown>, result: object]>([
  [{ digest: 'own' }, { value: { ...stored, digest: 'own' } }],
  [{ username: 'jo' }, { value: { ...stored, username: 'jo', digest: '#jo' } }],
  [{ password: 'new', consumer: JOE }, { value: { ...stored, password: 'new:e' } }],
  [{ password: 'new', consumer: ANN }, { value: { ...stored, consumer: ANN, password: 'new:f' } }],
  [{ password: 'new' }, { errors: mismatch }],
  [{ consumer: ANN }, { errors: mismatch }],
])('the change %j transforms what it gives, and needs what that depends on', (changes, result) => {
  expect(validateChange<unknown>(credential, stored, changes)).toEqual(result as never);
});

test('transformations are printed without their code', () => {
  const { transformations } = describe(credential);
  expect(transformations).toEqual([{ input: ['password'], needs: ['consumer.id'] }, { input: ['username'] }]);
});
