import { describe, expect, test } from 'bun:test';
import { compilePcre, compilePcreGroups, compilePcreSearch } from '../../src/lib/regex.ts';

/** Pattern, texts it matches, texts it does not. What PCRE does: https://www.pcre.org/current/doc/html/pcre2pattern.html */
const TABLE: readonly (readonly [pattern: string, matches: readonly string[], refuses: readonly string[]])[] = [
  ['^/a/[0-9]+$', ['/a/12', '/a/12\n'], ['/a/', '/a/1x', '/a/12\n\n']],
  ['(?i)secret', ['SECRET', 'a Secret'], ['secre']],
  ['a(?i)b|c', ['aB', 'C'], ['AB', 'A']],
  ['(a(?i)b|c)D', ['aBD', 'CD'], ['aBd', 'Cd']],
  ['a(?i)b(?-i)c', ['aBc'], ['aBC', 'Abc']],
  ['a(?i:b)c', ['aBc', 'abc'], ['aBC']],
  ['(?i)a(?-i:b)c', ['AbC'], ['ABC']],
  ['(?s).+b', ['a\nb'], []],
  ['^.+b$', ['a\rb'], ['a\nb']],
  ['(?m)^b$', ['a\nb\nc', 'b'], ['a\nbc', 'ab']],
  ['(?m)^$', ['', 'a\n\nb'], ['a\n', 'a']],
  ['(?x) a b # a comment\n [ ] c', ['ab c'], ['abc', 'a b c']],
  ['(?U)^a+?$', ['aa'], ['b']],
  ['^a++a', [], ['aaa']],
  ['^(?>a|ab)c', ['ac'], ['abc']],
  ['^(?:a{1,2}+)a$', ['aaa'], ['aa']],
  ['^"[^"]*+"$', ['"abc"'], ['"abc', '"a"b"']],
  ['\\Aab\\z', ['ab'], ['ab\n', 'xab']],
  ['\\Aab\\Z', ['ab', 'ab\n'], ['ab\n\n', 'abc']],
  ['^\\h+$', [' \t'], ['\n', 'a']],
  ['^\\H\\V\\v$', ['aa\n'], [' aa', 'aaa']],
  ['^\\N{2}$', ['ab'], ['a\n']],
  ['^a\\Rb$', ['a\r\nb', 'a\nb'], ['ab', 'a\n\nb']],
  ['^\\Q.*[\\E+$', ['.*[', '.*[[['], ['ab']],
  ['^\\Qa.b$', [], ['acb']],
  ['^[[:alpha:]_]+[[:^digit:]]$', ['ab_!', 'ab'], ['ab1', '1']],
  ['^[[:xdigit:][:space:]-]+$', ['af- 9'], ['g']],
  ['^[]a]+$', [']a'], ['b']],
  ['^[^]a]+$', ['b'], [']']],
  ['^[a\\]-]+$', ['a]-'], ['b']],
  ['^[\\w-.]+$', ['a-b.c'], ['a b']],
  ['^[+--]+$', ['+,-'], ['.']],
  ['^[\\x41-\\x{43}\\061]+$', ['ABC1'], ['D']],
  ['^[\\Qa-z\\E]+$', ['a-z'], ['b']],
  ['^[&&||~~!!]+$', ['&|~!'], ['a']],
  ['^[\\S]+$', ['a\u00a0'], ['a b']],
  ['^\\s$', ['\v', ' '], ['\u00a0']],
  ['^[\\b]$', ['\b'], ['b']],
  ['^]}{a{,2}{x$', [']}{a{,2}{x'], []],
  ['^a{2}b{1,}c{0,2}$', ['aab', 'aabbcc'], ['ab', 'aabccc']],
  ['^a{2}?b$', ['aab'], ['ab']],
  ['^(?P<year>\\d{4})-(?P=year)$', ['2024-2024'], ['2024-2025']],
  ["^(?'a'x)\\k'a'\\k{a}\\k<a>\\g{a}\\g1\\g{1}\\g{-1}\\1$", ['xxxxxxxxx'], ['xxxxxxxx']],
  ['^(a)(?>b)(c)\\2\\1$', ['abcca'], ['abcac']],
  ['^(a++)\\1$', [], ['aa', 'aaaa']],
  ['^((?>a|b)x)\\1$', ['axax'], ['axbx']],
  ['a(?#not this)b', ['ab'], ['a']],
  ['^\\x{1F600}.$', ['😀😀'], ['😀']],
  ['^\\/api\\-v1\\_x\\/$', ['/api-v1_x/'], ['/api']],
  ['^\\cA\\e\\a\\0\\o{101}$', ['\x01\x1b\x07\0A'], ['']],
  ['^\\p{Lu}\\pL\\P{L}\\p{^L}\\p{Greek}$', ['Aé12α'], ['aé12α']],
  ['(?<=a)b(?!c)', ['ab'], ['b', 'abc']],
  ['^(?=a)*b', ['b'], ['a']],
  ['\\bfoo\\B', ['foot'], ['foo', 'afoot']],
];

describe('compilePcre matches as PCRE does', () => {
  test.each(TABLE)('%s', (pattern, matches, refuses) => {
    const regex = compilePcre(pattern);
    for (const text of matches) expect([text, regex.test(text)]).toEqual([text, true]);
    for (const text of refuses) expect([text, regex.test(text)]).toEqual([text, false]);
  });
});

describe('compilePcre says what is wrong, and where', () => {
  test.each([
    ['a(?R)', 'recursion is not supported at position 2'],
    ['(a)(?1)', 'recursion is not supported at position 4'],
    ['(?<n>a)(?&n)', 'recursion is not supported at position 8'],
    ['(?<n>a)\\g<n>', 'recursion is not supported at position 8'],
    ['(a)?(?(1)b|c)', 'conditional group (?(…)…) is not supported at position 5'],
    ['(?C1)a', 'callout (?C) is not supported at position 1'],
    ['(*UTF8)a', 'verb (*…) is not supported at position 1'],
    ['(?|a|b)', 'branch reset group (?|…) is not supported at position 1'],
    ['(?J)a', 'group (?J is not supported at position 1'],
    ['a\\Kb', '\\K is not supported at position 2'],
    ['\\Ga', '\\G is not supported at position 1'],
    ['\\N{U+41}', '\\N is not supported at position 1'],
    ['\\X', '\\X is not supported at position 1'],
    ['\\y', '\\y is not supported at position 1'],
    ['[\\y]', '\\y in a character class is not supported at position 2'],
    ['\\p{Nonsense}', '\\p{Nonsense} is not supported at position 1'],
    ['[[.a.]]', 'POSIX collating element is not supported at position 2'],
    ['[[:nope:]]', 'unknown class [:nope:] at position 2'],
    ['[a', 'character class is not closed at position 1'],
    ['[z-a]', 'range out of order in character class at position 2'],
    ['x(a', 'group is not closed at position 2'],
    ['a)', 'unmatched closing parenthesis at position 2'],
    ['a\\', 'backslash without a character after it at position 2'],
    ['*a', 'quantifier with nothing to repeat at position 1'],
    ['a|+', 'quantifier with nothing to repeat at position 3'],
    ['a{70000}', 'number too big in quantifier at position 2'],
    ['a{3,2}', 'numbers out of order in quantifier at position 2'],
    ['(?<a>x)(?<a>y)', 'two groups named a at position 8'],
    ['(a\\1)', 'back reference to a group that is not complete before it at position 3'],
    ['\\1(a)', 'back reference to a group that is not complete before it at position 1'],
    ['(a)?\\1', 'back reference to a group that may have caught nothing is not supported at position 5'],
    ['(?:(a)|b)\\1', 'back reference to a group that may have caught nothing is not supported at position 10'],
    ['(a)|b\\1', 'back reference to a group that may have caught nothing is not supported at position 6'],
    ['(?!(a))\\1', 'back reference to a group that may have caught nothing is not supported at position 8'],
    ['a\\12', '\\12 is ambiguous: write \\o{12} or \\g{12} at position 2'],
    ['\\x{110000}', 'character code past U+10FFFF at position 1'],
  ])('%s', (pattern, problem) => {
    expect(() => compilePcre(pattern)).toThrow(new Error(`invalid regular expression '${pattern}': ${problem}`));
  });
});

test('groups keep their numbers when the translation adds its own', () => {
  const { regex, groups } = compilePcreGroups('(?>(a)|b)++(?<name>c)(d)');
  const match = regex.exec('aacd');
  expect(groups.map(group => match?.[group])).toEqual(['aacd', 'a', 'c', 'd']);
  expect({ ...match?.groups }).toEqual({ name: 'c' });
});

test('anchored holds for every alternative', () => {
  const regex = compilePcre('/a|/b', { anchored: true });
  expect(['/a', '/b', 'x/a', 'x/b'].map(text => regex.test(text))).toEqual([true, true, false, false]);
});

test('caseInsensitive is as a leading (?i)', () => {
  expect(compilePcre('é[a-c]', { caseInsensitive: true }).test('ÉB')).toBe(true);
});

test.each([
  ['/users/(\\d+)', '/users/'],
  ['/users/?$', '/users'],
  ['/a\\.b\\-c/[0-9]', '/a.b-c/'],
  ['/a\\.*', '/a'],
  ['/v1/(?:a|b)', '/v1/'],
  ['/a|/b', ''],
  ['(?i)/a', ''],
  ['/a{2}', '/'],
  ['/\\d', '/'],
  ['/plain', '/plain'],
])('every match of %s begins with "%s"', (pattern, prefix) => {
  expect(compilePcreGroups(pattern, { anchored: true }).prefix).toBe(prefix);
});

test.each<[string, string, boolean]>([
  ['b', 'abc', true],
  ['b', 'ac', false],
  ['', '', true],
  ['^$', 'a', false],
  ['a$', 'a\n', true],
  ['a|b', 'b', true],
  ['(a)\\1', 'aa', true],
  ['(a)\\1', 'ab', false],
  ['.*b', 'a\nab', true],
  ['(?i)(?s).*b.*', 'AB', true],
  ['.*?b', 'ab', true],
  ['.*+b', 'ab', false],
  ['(?x)a # comment', 'a', true],
])('compilePcreSearch(%j) in %j', (pattern, text, expected) => {
  expect(compilePcreSearch(pattern)(text)).toBe(expected);
});

test('compilePcreSearch does not take for a text without a match one on which it gave up', () => {
  const search = compilePcreSearch('(a+)+b');
  expect(() => search(`${'a'.repeat(40)}c`)).toThrow('pattern (a+)+b comes to no end');
});
