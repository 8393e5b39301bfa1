import { describe, expect, test } from 'bun:test';
import { compileLuaTemplate, render } from '../../src/lib/lua-template.ts';

const TABLES = ['headers', 'captures'];
const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  headers: { host: 'a.test', 'x-id': '7', empty: '', "it's": 'quoted' },
  captures: { '1': 'first', name: 'ada' },
};
const filled = (text: string) => render(compileLuaTemplate(text, TABLES), (table, key) => VALUES[table]?.[key]);

describe('a template', () => {
  test.each([
    ['plain', 'plain'],
    ['', ''],
    ['$', '$'],
    ['$5 (five)', '$5 (five)'],
    ['$(headers.host', '$(headers.host'],
    ['$((headers.host)', '$((headers.host)'],
    ['# a line', '# a line'],
    ['$(headers.host)', 'a.test'],
    ['http://$(headers.host)/$(captures.name)!', 'http://a.test/ada!'],
    ["$(headers['x-id'])", '7'],
    ['$(headers["x-id"])', '7'],
    ['$( headers [ "x-id" ] )', '7'],
    ['$(captures[1])', 'first'],
    ["$(captures['1'])", 'first'],
    ["$(headers['it\\'s'])", 'quoted'],
    ['$(headers.missing)', ''],
    ["$(headers.missing or 'none')", 'none'],
    ["$(headers.host or 'none')", 'a.test'],
    ["$(headers.empty or 'none')", ''],
    ["$(headers.missing or headers['x-id'] or 'none')", '7'],
    ["$(headers.missing and 'there' or 'not there')", 'not there'],
    ["$(headers.host and 'there' or 'not there')", 'there'],
    ["$(headers.host == 'a.test' and 'mine' or 'theirs')", 'mine'],
    ["$(headers.host ~= 'a.test' and 'mine' or 'theirs')", 'theirs'],
    ["$(not headers.missing and 'none' or 'some')", 'none'],
    ["$('a' .. headers['x-id'] .. 1.5)", 'a71.5'],
    ["$((headers.missing or 'x') .. 'y')", 'xy'],
    ["$('a\\nb\\'c')", "a\nb'c"],
    ['$(nil)', ''],
    ['$(false)', ''],
    ['$(true)', 'true'],
    ['$(12)', '12'],
  ])('%s is %s', (text, wanted) => {
    expect(filled(text)).toBe(wanted);
  });
});

test('a text without expressions is the same for all', () => {
  expect(compileLuaTemplate('plain', TABLES)).toBe('plain');
});

test('what is not there cannot be joined', () => {
  expect(() => filled("$('a' .. headers.missing)")).toThrow('attempt to concatenate');
});

describe('is refused:', () => {
  test.each([
    '$()',
    '$(os.getenv("HOME"))',
    '$(headers)',
    '$(headers.host.more)',
    '$(headers[captures.name])',
    '$(headers.1)',
    '$(headers.host:upper())',
    '$(string.upper(headers.host))',
    "$((function() return 'x' end)())",
    '$(headers.host +)',
    "$('open)",
    '$(headers.host headers.host)',
    '$(or)',
    '$(headers. or 1)',
    '$(#headers)',
    '$(1 < 2)',
  ])('%s', text => {
    expect(() => compileLuaTemplate(text, TABLES)).toThrow('this gateway runs no Lua');
  });
});
