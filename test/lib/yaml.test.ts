import { describe, expect, test } from 'bun:test';
import { parseYaml, toYaml } from '../../src/lib/yaml.ts';

describe('parseYaml', () => {
  test.each<[string, string, unknown]>([
    ['a mapping', 'a: 1\nb: [x, "2"]\n', { a: 1, b: ['x', '2'] }],
    ['nothing', '', null],
    ['JSON, tabs included', '{\n\t"a": [1, {"b": null}]\n}', { a: [1, { b: null }] }],
    ['anchors and merge keys', 'x: &x {p: 1}\ny:\n  <<: *x\n  q: 2\nz: *x\n', { x: { p: 1 }, y: { p: 1, q: 2 }, z: { p: 1 } }],
    ['words that older YAML takes for booleans', 'a: yes\nb: off', { a: 'yes', b: 'off' }],
    ['a hundred and fifty uses of one anchor', `a: &a {b: 1}\nc: [${'*a, '.repeat(150)}]`, { a: { b: 1 }, c: Array(150).fill({ b: 1 }) }],
  ])('reads %s', (_, text, value) => {
    expect(parseYaml(text, 'f.yaml').value).toEqual(value);
  });

  test.each<[string, string, string]>([
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 'f.yaml:3:1: Map keys must be unique'],
    ['a tab for indentation', 'a:\n\tb: 1', 'f.yaml:2:1: Tabs are not allowed as indentation'],
    ['an unknown tag', 'a: 1\nb: !vault x', 'f.yaml:2:4: Unresolved tag: !vault'],
    ['two documents', '---\na: 1\n---\nb: 2\n', 'f.yaml:3:1: Source contains multiple documents'],
    ['an alias without its anchor', 'a: *b', 'f.yaml: Unresolved alias (the anchor must be set before the alias): b'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseYaml(text, 'f.yaml')).toThrow(new Error(message));
  });

  test('refuses aliases that expand without end', () => {
    const bomb = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`);
    expect(() => parseYaml(['l0: &l0 [x]', ...bomb].join('\n'), 'f.yaml')).toThrow('f.yaml: Excessive alias count');
  });

  test.each<[(string | number)[], number]>([
    [[], 1],
    [['services'], 1],
    [['services', 0], 2],
    [['services', 0, 'host'], 3],
    [['services', 0, 'missing'], 2],
    [['services', 1, 'tags', 1], 7],
    [['plugins', 0, 'config', 'deep'], 9],
    [['absent', 3], 1],
  ])('knows the line of %j', (path, line) => {
    const text =
      'services:\n- name: one\n  host: a\n- name: two\n  tags:\n  - x\n  - y\nplugins:\n- {name: p, config: &c {deep: 1}}\nmore: *c\n';
    expect(parseYaml(text, 'f.yaml').where(path)).toBe(`f.yaml:${line}`);
  });
});

test('toYaml writes what parseYaml reads back', () => {
  const shared = { deep: true };
  const value = { a: 'yes', b: '3.0', c: null, d: [], e: {}, f: 'two\nlines\n', g: 1.5, h: [shared, shared], i: '~/x', j: ' padded ' };
  expect(parseYaml(toYaml(value), 'f.yaml').value).toEqual(value);
});

test('toYaml quotes words that older YAML takes for booleans', () => {
  expect(toYaml({ a: 'yes' })).toBe('a: "yes"\n');
});

describe('the quick way', () => {
  const SCALARS = ['yes', 'On', 'true', 'TRUE', 'null', '~', '', '0', '-1', '+1', '007', '0o17', '0x1F', '1_000', '.5', '5.', '1e3', '-0'];
  const MORE = ['9007199254740993', '2001-01-01', '12:30', 'a#b', 'a #b', '"a\\n\\u263a"', "'it''s'", '"x: y"', '~/x', '-x', '[1, two]'];
  const DEEP = [
    '{a: 1, b: c}',
    '{"a":1}',
    '{a, b}',
    '|\n      two\n      lines',
    '>-\n      two\n\n      lines',
    'plain\n      multi',
    '"multi\n      line"',
  ];

  test.each([...SCALARS, ...MORE, ...DEEP])('reads %j as the thorough one does', scalar => {
    const text = `a:\n  - k: ${scalar}\n    l: 1\nb: x\n`;
    const thorough = parseYaml(text, 'f.yaml', string => string).value;
    expect(parseYaml(text, 'f.yaml').value).toStrictEqual(thorough);
  });

  test.each(['{"a": 1, "a": 2}', '- {a: 1, a: 2}', '"a": 1\na: 2', 'b:\n- a: 1\n  a: 2', 'b: {"a":1, \'a\':2}'])(
    'leaves a duplicate key to the thorough one: %j',
    text => {
      expect(() => parseYaml(text, 'f.yaml')).toThrow('Map keys must be unique');
    },
  );

  test('takes what stands between quotes for no key', () => {
    expect(parseYaml('{"a": "\\": 1, \\"a\\":", "b": "x: y"}', 'f.yaml').value).toEqual({ a: '": 1, "a":', b: 'x: y' });
  });
});
