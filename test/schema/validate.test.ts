import { describe, expect, test } from 'bun:test';
import {
  array,
  boolean,
  type Field,
  foreign,
  type Infer,
  integer,
  json,
  map,
  number,
  record,
  set,
  string,
} from '../../src/schema/field.ts';
import { type FieldErrors, validate } from '../../src/schema/validate.ts';

/** The error of one field, or undefined when its value is taken. */
function errorOf(field: Field, value: unknown) {
  const result = validate(record({ field }), value === undefined ? {} : { field: value });
  const { field: error }: FieldErrors = 'errors' in result ? result.errors : {};
  return error;
}

function taken(field: Field, value?: unknown) {
  const result = validate(record({ field }), value === undefined ? {} : { field: value });
  if ('errors' in result) throw new Error(JSON.stringify(result.errors));
  return (result.value as { field: unknown }).field;
}

const text = string();
const pattern = { pattern: '//', err: 'no empty segments' };

describe('a value', () => {
  test.each<[name: string, field: Field, good: unknown[], bad: [unknown, unknown][]]>([
    [
      'string',
      text,
      ['a', null],
      [
        [1, 'expected a string'],
        ['', 'length must be at least 1'],
        [{}, 'expected a string'],
        ['é\ud800', 'invalid utf-8 character sequence detected at position 3'],
      ],
    ],
    ['string that may be empty', string({ len_min: 0 }), ['', 'a'], []],
    [
      'integer',
      integer(),
      [1, -1, 1.0],
      [
        [1.5, 'expected an integer'],
        ['1', 'expected an integer'],
        [Infinity, 'expected an integer'],
        [2 ** 53, 'expected an integer'],
      ],
    ],
    [
      'number',
      number(),
      [1.5, 0],
      [
        ['1', 'expected a number'],
        [true, 'expected a number'],
        [Infinity, 'expected a number'],
      ],
    ],
    [
      'boolean',
      boolean(),
      [true, false],
      [
        ['true', 'expected a boolean'],
        [0, 'expected a boolean'],
      ],
    ],
    ['json', json(), [1, 'a', { a: [null] }], []],
    [
      'array',
      array(text),
      [[], ['a']],
      [
        ['a', 'expected an array'],
        [{ a: 1 }, 'expected an array'],
      ],
    ],
    ['set', set(text), [['a']], [['a', 'expected a set']]],
    [
      'map',
      map(text, text),
      [{ a: 'b' }, {}],
      [
        [['a'], 'expected a map'],
        ['a', 'expected a map'],
      ],
    ],
    [
      'record',
      record({ a: text }),
      [{ a: 'b' }, {}],
      [
        ['a', 'expected a record'],
        [['a'], 'expected a record'],
      ],
    ],
    [
      'required',
      string({ required: true }),
      ['a'],
      [
        [null, 'required field missing'],
        [undefined, 'required field missing'],
      ],
    ],
    [
      'eq',
      boolean({ eq: false }),
      [false],
      [
        [true, 'value must be false'],
        [null, 'value must be false'],
      ],
    ],
    ['eq null', string({ eq: null }), [null], [['a', 'value must be null']]],
    ['eq null in words of its own', string({ eq: null, err: 'not here' }), [null], [['a', 'not here']]],
    ['ne', boolean({ ne: true }), [false, null], [[true, 'value must not be true']]],
    ['ne null', string({ ne: null }), ['a'], [[null, 'value must not be null']]],
    ['ne null of what is required', string({ ne: null, required: true }), ['a'], [[null, 'required field missing']]],
    [
      'one_of',
      string({ one_of: ['a', 'b'] }),
      ['a'],
      [
        ['c', 'expected one of: a, b'],
        ['', 'expected one of: a, b'],
      ],
    ],
    ['not_one_of', string({ not_one_of: ['a', 'b'] }), ['c'], [['a', 'must not be one of: a, b']]],
    ['gt', number({ gt: 0 }), [0.1], [[0, 'value must be greater than 0']]],
    ['timestamp', integer({ timestamp: true }), [1], [[0, 'expected a valid timestamp']]],
    [
      'uuid',
      string({ uuid: true }),
      ['aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'],
      [
        ['aaaa', 'expected a valid UUID'],
        ['', 'expected a valid UUID'],
      ],
    ],
    ['is_regex', string({ is_regex: true }), ['^a+$'], [['(a', 'not a valid regex: (a']]],
    [
      'between',
      integer({ between: [1, 5] }),
      [1, 5],
      [
        [0, 'value should be between 1 and 5'],
        [6, 'value should be between 1 and 5'],
      ],
    ],
    ['between, whose bounds Kong prints as integers', number({ between: [0.001, 60] }), [0.001], [[0, 'value should be between 0 and 60']]],
    ['len_eq', array(text, { len_eq: 0 }), [[]], [[['a'], 'length must be 0']]],
    ['len_min', set(text, { len_min: 1 }), [['a']], [[[], 'length must be at least 1']]],
    [
      'len_max',
      string({ len_max: 2 }),
      ['ab', 'ä'],
      [
        ['abc', 'length must be at most 2'],
        ['äb', 'length must be at most 2'],
      ],
    ],
    ['len_max of a map', map(text, text, { len_max: 1 }), [{ a: 'b' }], [[{ a: 'b', c: 'd' }, 'length must be at most 1']]],
    ['starts_with', string({ starts_with: '/' }), ['/a'], [['a', 'should start with: /']]],
    ['match', string({ match: '^%u+$' }), ['GET'], [['get', 'invalid value: get']]],
    ['not_match', string({ not_match: '^%u' }), ['get'], [['GET', 'invalid value: GET']]],
    ['match_none', string({ match_none: [pattern] }), ['/a'], [['//', 'no empty segments']]],
    ['match_none without words of its own', string({ match_none: [{ pattern: '//' }] }), ['/a'], [['//', 'invalid value: //']]],
    [
      'match_all',
      string({
        match_all: [
          { pattern: '^/', err: 'no slash' },
          { pattern: 'b$', err: 'no b' },
        ],
      }),
      ['/b'],
      [
        ['/a', 'no b'],
        ['b', 'no slash'],
      ],
    ],
    ['match_any', string({ match_any: { patterns: ['^/', '^~/'], err: 'no path' } }), ['/', '~/'], [['a', 'no path']]],
    ['match_any without words of its own', string({ match_any: { patterns: ['^/', '^~/'] } }), ['/'], [['a', 'invalid value: a']]],
    ['contains', array(text, { contains: 'a' }), [['b', 'a']], [[['b'], 'expected to contain: a']]],
    [
      'err',
      string({ match: '^/', err: 'not a path' }),
      ['/a'],
      [
        ['a', 'not a path'],
        [1, 'expected a string'],
      ],
    ],
    [
      'custom_validator',
      string({ custom_validator: (value: string) => (value === 'a' ? undefined : `${value} is not a`) }),
      ['a'],
      [['b', 'b is not a']],
    ],
    [
      'mutually_exclusive_subsets',
      set(text, { mutually_exclusive_subsets: [['a', 'b'], ['c']] }),
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      [[['c', 'a'], "these sets are mutually exclusive: ('c'), ('a', 'b')"]],
    ],
  ])('%s takes what Kong takes', (_name, field, good, bad) => {
    for (const value of good) expect([value, errorOf(field, value)]).toEqual([value, undefined]);
    for (const [value, message] of bad) expect([value, errorOf(field, value)]).toEqual([value, message]);
  });

  test('facts are asked in the order of Kong: length before pattern', () => {
    expect(errorOf(string({ match: '^a', len_max: 1 }), 'bb')).toBe('length must be at most 1');
  });

  test('a check of a whole record is asked only when its fields are right', () => {
    const field = record(
      { a: string() },
      { custom_validator: ({ a }: { a: string }) => (a.startsWith('x') ? undefined : `${a} is not x`) },
    );
    expect(errorOf(field, { a: 1 })).toEqual({ a: 'expected a string' });
    expect(errorOf(field, { a: 'b' })).toBe('b is not x');
  });

  test('elements are asked before the facts of their list', () => {
    expect(errorOf(array(text, { len_max: 1 }), ['a', 1])).toEqual([null, 'expected a string']);
  });
});

describe('what is inside a value', () => {
  test('a list shows its errors where they are, and nothing after the last', () => {
    expect(errorOf(array(integer()), [1, 'a', null, 2])).toEqual([null, 'expected an integer', 'required field missing']);
  });

  test('a map shows one error', () => {
    const field = map(string({ match: '^%l+$' }), integer());
    expect(errorOf(field, { a: 1, B: 2 })).toBe('invalid value: B');
    expect(errorOf(field, { a: 'x' })).toBe('expected an integer');
    expect(errorOf(field, { a: null })).toBe('required field missing');
  });

  test('a record shows its errors by name, unknown fields too', () => {
    const field = record({ a: string({ required: true }), b: record({ c: integer() }) });
    expect(errorOf(field, { b: { c: 'x', d: 1 } })).toEqual({
      a: 'required field missing',
      b: { c: 'expected an integer', d: 'unknown field' },
    });
  });

  test.each(['__proto__', 'constructor', 'toString'])('%s is a field like any other', name => {
    const input = JSON.parse(`{"${name}": 1}`);
    expect(Object.entries(errorOf(record({ a: text }), input) as FieldErrors)).toEqual([[name, 'unknown field']]);
    expect(Object.keys(taken(map(text, integer()), input) as object)).toEqual([name]);
  });

  test.each([
    [{ id: 'AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee', name: 'x' }, undefined],
    [{ id: 'x' }, { id: 'expected a valid UUID' }],
    [{ id: 1 }, { id: 'expected a string' }],
    [{ id: null }, { id: 'required field missing' }],
    [{ name: 'x' }, { id: 'missing primary key' }],
    ['x', { id: 'missing primary key' }],
  ])('a foreign key %j', (value, error) => {
    expect(errorOf(foreign('services'), value)).toEqual(error as never);
  });

  test('a foreign key keeps nothing but the id', () => {
    const reference = { id: 'AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee', name: 'x' };
    expect(taken(foreign('services'), reference)).toEqual({ id: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee' });
  });

  test('what is no record at all is refused', () => {
    for (const input of [null, [], 'a', 1]) expect(validate(record({}), input)).toEqual({ errors: { '@entity': ['expected a record'] } });
  });
});

describe('a reference to a vault', () => {
  const reference = '{vault://env/KEY}';

  test('stands in for any referenceable string', () => {
    expect(taken(string({ referenceable: true, len_max: 3, match: '^%d+$' }), reference)).toBe(reference);
    expect(taken(array(string({ referenceable: true, one_of: ['a'] })), [reference])).toEqual([reference]);
  });

  test('is a string like any other elsewhere', () => {
    expect(errorOf(string({ len_max: 3 }), reference)).toBe('length must be at most 3');
    expect(errorOf(string({ referenceable: true, len_max: 3 }), 'vault')).toBe('length must be at most 3');
  });
});

describe('what is not given', () => {
  test.each<[name: string, field: Field, value: unknown]>([
    ['is null', text, null],
    ['is its default', integer({ default: 5 }), 5],
    ['is its default, required or not', boolean({ required: true, default: false }), false],
    ['is null when the default is', integer({ default: null }), null],
    ['is null for a record that is not required', record({ a: integer({ default: 1 }) }), null],
    ['is filled for a record that is', record({ a: integer({ default: 1 }), b: text }, { required: true }), { a: 1, b: null }],
    ['is null for a field the gateway fills', integer({ auto: true, timestamp: true }), null],
  ])('%s', (_name, field, value) => {
    expect(taken(field)).toEqual(value);
  });

  test('is filled within what is given', () => {
    const inner = record({ a: integer({ default: 1 }), b: text });
    expect(taken(inner, { b: 'x' })).toEqual({ a: 1, b: 'x' });
    expect(taken(array(inner), [{}])).toEqual([{ a: 1, b: null }]);
    expect(taken(map(text, inner), { k: {} })).toEqual({ k: { a: 1, b: null } });
  });

  test('a default is nobody else’s', () => {
    const field = array(text, { default: ['a'] });
    expect(taken(field)).not.toBe(taken(field));
  });

  test('a null that is given stays null, and is refused where one is required', () => {
    expect(taken(integer({ default: 5 }), null)).toBeNull();
    expect(errorOf(integer({ default: 5, required: true }), null)).toBe('required field missing');
    expect(errorOf(record({ a: text }, { required: true }), null)).toBe('required field missing');
  });
});

describe('what is given', () => {
  test('a set drops what it has already', () => {
    expect(taken(set(text), ['b', 'a', 'b'])).toEqual(['b', 'a']);
    expect(taken(array(text), ['b', 'b'])).toEqual(['b', 'b']);
  });

  test('an empty list and an empty record are one thing', () => {
    expect(taken(array(text), {})).toEqual([]);
    expect(taken(map(text, text), [])).toEqual({});
    expect(taken(record({ a: text }), [])).toEqual({ a: null });
  });

  test('a valid row is valid again, and the same', () => {
    const row = record({ a: text, b: set(text, { default: ['x'] }), c: record({ d: integer({ default: 1 }) }, { required: true }) });
    const once = validate(row, { b: ['y', 'y'] });
    const twice = validate(row, 'value' in once ? once.value : undefined);
    expect(twice).toEqual(once);
    expect(once).toEqual({ value: { a: null, b: ['y'], c: { d: 1 } } });
  });

  test('the input is left as it was', () => {
    const input = { field: ['b', 'b'] };
    validate(record({ field: set(text) }), input);
    expect(input).toEqual({ field: ['b', 'b'] });
  });
});

test('a field is typed by its facts', () => {
  const row = record(
    {
      a: string({ required: true, one_of: ['x', 'y'] }),
      b: integer(),
      c: array(text),
      d: record({ e: boolean() }),
      id: string({ auto: true }),
    },
    { required: true },
  );
  const value: Infer<typeof row> = { a: 'x', b: null, c: ['k'], d: null, id: 'i' };
  const choice: 'x' | 'y' = value.a;
  const list: readonly string[] | null = value.c;
  expect([choice, list]).toEqual(['x', ['k']]);
});
