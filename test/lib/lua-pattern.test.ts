import { describe, expect, test } from 'bun:test';
import { luaPattern } from '../../src/lib/lua-pattern.ts';

describe('luaPattern', () => {
  test.each([
    ['^%u+$', ['GET', 'X'], ['get', 'GET ', '']],
    ['//', ['a//b'], ['/a/b']],
    ['^%*%.', ['*.example.com'], ['a.*', 'x*.']],
    ['%.%*$', ['example.*'], ['example.*x']],
    ['^[^*]*$', ['', 'example.com'], ['*', 'a*b']],
    ['^[^*]*%*?[^*]*$', ['a*b', 'ab'], ['a*b*']],
    ['^~/', ['~/x'], ['/~/']],
    ['^[Hh][Oo][Ss][Tt]$', ['host', 'HOST'], ['hosts']],
    ['^[Cc]ontent%-[Ll]ength$', ['content-length'], ['content+length']],
    ['^[^%s*&%%\\`][^*&%%\\`]*[^%s*&%%\\`]$', ['/tmp/a b.log'], [' /tmp', '/tmp/a&b', '/tmp/a%b', '/tmp/a\\b', '/tmp/a`']],
    ['^[%w%.%-%_~]+$', ['a.B-9_~'], ['a b', 'ä', 'a+']],
    ['^%d+[%.%d]*$', ['1', '1.2.3'], ['a1', '.1']],
    ['a.-b$', ['axxb', 'ab'], ['a']],
    ['^a-b$', ['b', 'aab'], ['a-c']],
    ['^-a$', ['-a'], ['a']],
    ['^(a)+$', ['a+'], ['aa']],
    ['a^b$c', ['a^b$c'], ['ab']],
    ['^[]x]$', [']', 'x'], ['[']],
    ['^[a-c]$', ['b'], ['d', '-']],
    ['^{vault://', ['{vault://env/x}'], ['vault://']],
    ['^.$', ['\n', 'a'], ['']],
    ['^%S$', ['a'], [' ']],
  ])('%s matches what Lua says it does', (pattern, good, bad) => {
    const expression = luaPattern(pattern);
    for (const text of good) expect([text, expression.test(text)]).toEqual([text, true]);
    for (const text of bad) expect([text, expression.test(text)]).toEqual([text, false]);
  });

  test.each(['%b()', '%f[a]', '(a)%1', '[%S]', '[a'])('%s is refused', pattern => {
    expect(() => luaPattern(pattern)).toThrow(pattern);
  });
});
