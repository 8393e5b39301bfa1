import { describe, expect, test } from 'bun:test';
import type { EntityCheck } from '../../src/schema/entity-check.ts';
import { array, integer, record, string } from '../../src/schema/field.ts';
import { type FieldErrors, validate } from '../../src/schema/validate.ts';

const fields = {
  a: string(),
  b: string(),
  c: array(string()),
  n: integer(),
  mode: string({ one_of: ['x', 'y', 'z'] }),
  secret: string({ referenceable: true }),
  inner: record({ d: string(), e: string() }),
  must: string({ required: true, default: 'm' }),
};

function errorsOf(check: EntityCheck, input: object): FieldErrors | undefined {
  const result = validate(record(fields, { entity_checks: [check] }), input);
  return 'errors' in result ? result.errors : undefined;
}

const whole = (...messages: string[]) => ({ '@entity': messages });

describe('an entity check', () => {
  test.each<[check: EntityCheck, good: object[], bad: [object, FieldErrors][]]>([
    [
      { at_least_one_of: ['a', 'inner.d'] },
      [{ a: 'x' }, { inner: { d: 'x' } }],
      [
        [{}, whole("at least one of these fields must be non-empty: 'a', 'inner.d'")],
        [{ a: 1 }, { a: 'expected a string' }],
        [{ n: 'x' }, { n: 'expected an integer', ...whole("at least one of these fields must be non-empty: 'a', 'inner.d'") }],
      ],
    ],
    [
      { only_one_of: ['a', 'c'] },
      [{ a: 'x' }, { c: ['x'] }, { a: 'x', c: [] }],
      [
        [{}, whole("exactly one of these fields must be non-empty: 'a', 'c'")],
        [{ a: 'x', c: ['x'] }, whole("exactly one of these fields must be non-empty: 'a', 'c'")],
      ],
    ],
    [
      { distinct: ['a', 'b'] },
      [{}, { a: 'x' }, { a: 'x', b: 'y' }],
      [[{ a: 'x', b: 'x' }, whole("values of these fields must be distinct: 'a', 'b'")]],
    ],
    [
      { mutually_required: ['a', 'inner.d', 'inner.e'] },
      [{}, { a: 'x', inner: { d: 'x', e: 'x' } }],
      [
        [{ a: 'x' }, whole("all or none of these fields must be set: 'a', 'inner.d', 'inner.e'")],
        [{ a: 1 }, { a: 'expected a string' }],
      ],
    ],
    [
      { mutually_exclusive: ['a', 'b', 'c'] },
      [{}, { a: 'x' }, { a: 'x', c: [] }],
      [[{ a: 'x', c: ['x'] }, whole("only one or none of these fields must be set: 'a', 'b', 'c'")]],
    ],
    [
      { mutually_exclusive_sets: { set1: ['a', 'inner.d'], set2: ['b', 'c'] } },
      [{}, { a: 'x', inner: { d: 'x' } }, { b: 'x', c: ['x'] }, { a: 'x', c: [] }],
      [
        [{ inner: { d: 'x' }, b: 'x', c: ['x'] }, whole("these sets are mutually exclusive: ('inner.d'), ('b', 'c')")],
        [{ a: 1, b: 'x' }, { a: 'expected a string' }],
      ],
    ],
    [
      { conditional: { if_field: 'mode', if_match: { one_of: ['x', 'y'] }, then_field: 'inner.d', then_match: { required: true } } },
      [{ mode: 'z' }, { mode: 'x', inner: { d: 'k' } }],
      [[{ mode: 'x' }, { inner: { d: 'required field missing' }, ...whole("failed conditional validation given value of field 'mode'") }]],
    ],
    [
      { conditional: { if_field: 'mode', if_match: { eq: 'x' }, then_field: 'n', then_match: { gt: 3 }, then_err: 'too small for %s' } },
      [{ mode: 'y', n: 1 }, { mode: 'x', n: 4 }, { mode: 'x' }],
      [
        [
          { mode: 'x', n: 3 },
          { n: 'value must be greater than 3', ...whole('too small for mode') },
        ],
      ],
    ],
    [
      {
        conditional: { if_field: 'mode', if_match: { eq: 'x' }, then_field: 'n', then_match: { required: true }, then_err: 'no n for %s' },
      },
      [{ mode: 'y' }, { mode: 'x', n: 4 }],
      [[{ mode: 'x' }, { n: 'required field missing', ...whole("failed conditional validation given value of field 'mode'") }]],
    ],
    [
      {
        conditional: {
          if_field: 'c',
          if_match: { elements: { type: 'string', not_one_of: ['q'] } },
          then_field: 'a',
          then_match: { eq: null },
        },
      },
      [{ c: ['q', 'r'], a: 'x' }, { c: ['r'] }],
      [
        [
          { c: ['r'], a: 'x' },
          { a: 'value must be null', ...whole("failed conditional validation given value of field 'c'") },
        ],
      ],
    ],
    [
      {
        conditional_at_least_one_of: {
          if_field: 'c',
          if_match: { contains: 'q' },
          then_at_least_one_of: ['a', 'b'],
          then_err: 'must set one of %s with q',
          else_match: { contains: 'r' },
          else_then_at_least_one_of: ['b'],
        },
      },
      [{ c: ['s'] }, { c: ['q'], a: 'x' }, { c: ['r'], b: 'x' }],
      [
        [{ c: ['q'] }, whole("must set one of 'a', 'b' with q")],
        [{ c: ['r'], a: 'x' }, whole("at least one of these fields must be non-empty: 'b'")],
      ],
    ],
    [
      {
        custom_entity_check: {
          field_sources: ['a', 'b'],
          fn: ({ a, b }: { a: string | null; b: string | null }) => (a === b ? `both are ${a}` : undefined),
        },
      },
      [{ a: 'x' }],
      [
        [{ a: 'x', b: 'x' }, whole('both are x')],
        [
          { a: 1, b: 1 },
          { a: 'expected a string', b: 'expected a string' },
        ],
      ],
    ],
  ])('%j', (check, good, bad) => {
    for (const input of good) expect([input, errorsOf(check, input)]).toEqual([input, undefined]);
    for (const [input, errors] of bad) expect([input, errorsOf(check, input)]).toEqual([input, errors]);
  });

  test('says nothing of a field that holds a reference to a vault', () => {
    const check: EntityCheck = { mutually_required: ['secret', 'a'] };
    expect(errorsOf(check, { secret: '{vault://env/x}' })).toBeUndefined();
    expect(errorsOf(check, { secret: 'plain' })).toEqual(whole("all or none of these fields must be set: 'secret', 'a'"));
  });

  test('takes a null for a match, as Kong does, unless the match says otherwise', () => {
    const check = (ne?: null): EntityCheck => ({
      conditional: { if_field: 'mode', if_match: { one_of: ['x'], ...(ne === null && { ne }) }, then_field: 'a', then_match: { eq: null } },
    });
    expect(errorsOf(check(), { a: 'x' })).toEqual({
      a: 'value must be null',
      ...whole("failed conditional validation given value of field 'mode'"),
    });
    expect(errorsOf(check(null), { a: 'x' })).toBeUndefined();
  });

  test('needs the field that it turns on', () => {
    const schema = record(
      { k: record({ p: string({ required: true }) }), q: string() },
      { entity_checks: [{ conditional: { if_field: 'k.p', if_match: { eq: 'x' }, then_field: 'q', then_match: { required: true } } }] },
    );
    expect(validate(schema, { k: {}, q: 'x' })).toEqual({ errors: { k: { p: 'field required for entity check' } } });
  });

  test('of a record within is told where that record is', () => {
    const inner = record({ d: string(), e: string() }, { entity_checks: [{ at_least_one_of: ['d', 'e'] }] });
    const messages = whole("at least one of these fields must be non-empty: 'd', 'e'");
    expect(validate(record({ inner }), { inner: {} })).toEqual({ errors: { inner: messages } });
    expect(validate(record({ list: array(inner) }), { list: [{ d: 'x' }, {}] })).toEqual({ errors: { list: [null, messages] } });
  });

  test('of several, each has its say', () => {
    const schema = record(fields, { entity_checks: [{ at_least_one_of: ['a', 'b'] }, { only_one_of: ['n', 'c'] }] });
    const result = validate(schema, {});
    expect('errors' in result && result.errors['@entity']).toHaveLength(2);
  });

  test('of a field that is not there is a mistake that shows', () => {
    expect(() => errorsOf({ conditional: { if_field: 'mode', if_match: {}, then_field: 'nope', then_match: {} } }, { mode: 'x' })).toThrow(
      "no field 'nope' to check",
    );
  });
});
