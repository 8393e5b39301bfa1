import { describe, expect, test } from 'bun:test';
import { type Json, parseJson } from '../../src/lib/json.ts';
import { LongStrings } from '../../src/lib/long-strings.ts';
import { randomOf } from '../support/random.ts';

const PICTURE = `data:image/png;base64,${'QUJD'.repeat(30_000)}`;
const of = (text: string) => LongStrings.ofBytes(Buffer.from(text).toString('latin1'));
const CHANGE = { model: 'm' };

describe.each<[string, string, number]>([
  ['a long string', JSON.stringify({ url: PICTURE, a: [1, null, true] }), 1],
  ['two that are the same', JSON.stringify([{ url: PICTURE }, [PICTURE]]), 2],
  ['alone', JSON.stringify(PICTURE), 1],
  ['with spaces around', ` { "url" :\n "${PICTURE}" , "a" : "b" } `, 1],
  ['among other scripts', JSON.stringify({ text: '这是什么？ 🙂 é', url: PICTURE, after: 'ß' }), 1],
  ['after an escaped quote and a backslash', JSON.stringify({ text: 'a"\\', url: PICTURE }), 1],
  ['that is a key stays', JSON.stringify({ [PICTURE]: 1, url: PICTURE }), 1],
  ['with an escape stays', JSON.stringify({ text: `${PICTURE}\n`, url: PICTURE }), 1],
  ['of another script stays', JSON.stringify({ text: '语'.repeat(70_000) }), 0],
  ['that is short stays', JSON.stringify({ text: 'x'.repeat(1000) }), 0],
  ['in a member of an odd name', `{"__proto__":"${PICTURE}","constructor":{"url":"${PICTURE}"}}`, 2],
  ['in a member that is there twice', `{"url":"${PICTURE}","url":"${PICTURE}x"}`, 2],
])('a JSON with long strings: %s', (_, text, count) => {
  test('parses to what it is', () => {
    const parsed = of(text).json();
    expect(JSON.stringify(parsed)).toBe(JSON.stringify(JSON.parse(text)));
  });

  test('is the same when it is whole again', () => {
    const apart = of(text);
    expect([apart.count, apart.text.length < text.length]).toEqual([count, count > 0]);
    expect(apart.whole(apart.text) === text).toBe(true);
  });

  test('says the same in ASCII', () => {
    const apart = of(text);
    const ascii = apart.wholeToSend(apart.text);
    expect(/^[\0-\x7f]*$/.test(ascii)).toBe(true);
    expect(JSON.parse(ascii)).toEqual(JSON.parse(text));
  });

  test('goes into another JSON, whole and in part', () => {
    const apart = of(text);
    const members = { ...CHANGE, given: apart.json() as Json, part: PICTURE.slice(5), absent: undefined };
    const marked = JSON.stringify(apart.marked(members));
    expect(JSON.parse(apart.wholeToSend(marked))).toEqual(JSON.parse(JSON.stringify(members)));
    expect(members.given).toEqual(apart.json() as Json);
  });
});

const TEXT = 'Said "no" \\ thrice.\n\t'.repeat(300);

describe.each<[string, string, number]>([
  ['plain', JSON.stringify({ url: PICTURE, a: [1, null, true] }), 1],
  ['with escapes', JSON.stringify({ messages: [{ content: TEXT }, { content: 'short' }], text: TEXT }), 2],
  ['in a list, with escapes', JSON.stringify([TEXT, [TEXT]]), 2],
  ['of another script', JSON.stringify({ text: '语🙂'.repeat(5000) }), 1],
  ['written by number', `{"text":"${'\\u00e9\\uD83D\\ude42\\\\u00e9\\/'.repeat(300)}"}`, 1],
  ['with backslashes before letters that escape nothing', JSON.stringify({ text: 'C:\\xyz\\\\u12\\'.repeat(700) }), 1],
  ['in a member of an odd name', `{"__proto__":${JSON.stringify(TEXT)},"constructor":{"url":"${PICTURE}"}}`, 2],
  ['that are a key stay', JSON.stringify({ [TEXT]: 1, a: TEXT }), 1],
  ['that are short stay', JSON.stringify({ text: 'x'.repeat(1000) }), 0],
  ['not found among short ones', JSON.stringify(new Array(2000).fill({ role: 'user', content: 'Said "no".' })), 0],
  ['after many short ones', JSON.stringify([...new Array(2000).fill('a"b\\'), TEXT, ...new Array(2000).fill('\\"')]), 1],
  ['none, where a list is long', `{"a":${JSON.stringify(new Array(5000).fill(1))},"b":"c"}`, 0],
  ['none, where a long list looks like one', `{"a:":${JSON.stringify(new Array(5000).fill(1))},"]b":"${PICTURE}"}`, 0],
  ['of quotes', JSON.stringify('"'.repeat(9000)), 1],
  ['of backslashes', JSON.stringify({ a: '\\'.repeat(9000), b: `\\"${'\\'.repeat(9000)}` }), 2],
])('a text with long strings: %s', (_, text, count) => {
  test('parses to what it is', () => {
    const apart = LongStrings.ofText(text);
    expect([apart.count, apart.text.length < text.length]).toEqual([count, count > 0]);
    const parsed = apart.json();
    expect(JSON.stringify(parsed)).toBe(JSON.stringify(JSON.parse(text)));
    expect(parsed).toEqual(JSON.parse(text));
  });

  test('is the same when it is whole again, and when it is sent', () => {
    const apart = LongStrings.ofText(text);
    expect([apart.whole(apart.text), apart.whole(` ${apart.text}`), apart.wholeToSend(apart.text)]).toEqual([text, ` ${text}`, text]);
  });

  test('goes into another JSON, whole and in part', () => {
    const apart = LongStrings.ofText(text);
    const members = { ...CHANGE, given: apart.json() as Json, part: PICTURE.slice(5), absent: undefined };
    const marked = JSON.stringify(apart.marked(members));
    expect(JSON.parse(apart.wholeToSend(marked))).toEqual(JSON.parse(JSON.stringify(members)));
  });
});

test('a value may be changed like any other, read or not', () => {
  const parsed = LongStrings.ofText(JSON.stringify({ a: TEXT, b: [TEXT] })).json() as { a: string; b: string[] };
  expect(parsed.b[0]).toBe(TEXT);
  parsed.a = 'other';
  parsed.b[0] = 'another';
  expect(parsed).toEqual({ a: 'other', b: ['another'] });
});

const padding = 'x'.repeat(5000);
test.each([
  ['an escape that JSON does not have', `${padding}\\x41`],
  ['a backslash that is escaped, and an escape that JSON does not have', `${padding}\\\\\\a`],
  ['a character by too short a number', `${padding}\\u12g4`],
  ['a character by a number that a backslash cuts', `${padding}\\u00\\\\41`],
  ['a line end', `${padding}\n`],
  ['a control character', `${padding}\0`],
])('a text whose long string has %s parses to nothing', (_, written) => {
  const text = `{"text":"${written}"}`;
  expect(() => JSON.parse(text)).toThrow();
  expect(LongStrings.ofText(text).json()).toBeUndefined();
});

test.each([
  ['no JSON', `{"url":"${PICTURE}",}`],
  ['a string without its end', `{"url":"${PICTURE}`],
  ['a line end within a string', `{"url":"${PICTURE}\n"}`],
  ['nothing', ''],
])('%s parses to nothing', (_, text) => {
  expect([of(text).json(), LongStrings.ofText(text).json()]).toEqual([undefined, undefined]);
});

test('a mark cannot be guessed: one that another body had is text', () => {
  const text = JSON.stringify({ url: PICTURE });
  const stolen = of(text).text;
  const body = JSON.stringify({ url: PICTURE, stolen });
  expect(of(body).json()).toEqual(JSON.parse(body));
});

test('over random texts, half of them broken somewhere, it parses to what all of it does', () => {
  const { below, pick } = randomOf(20261129);
  const pieces = [...'"\\:,[]{}a \né语', '\\"', '\\u00e9', 'x'.repeat(2000), '1,'.repeat(1500)];
  const list = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most) }, make);
  const string = () => list(12, () => pick(pieces)).join('');
  const value = (depth: number): Json => {
    const kind = below(depth > 0 ? 6 : 4);
    if (kind < 2) return pick([1, null, true]);
    if (kind < 4) return string();
    const values = list(5, () => value(depth - 1));
    return kind === 4 ? values : Object.fromEntries(values.map(each => [string(), each]));
  };
  let cut = 0;
  let broken = 0;
  for (let round = 0; round < 5000; round += 1) {
    const whole = JSON.stringify(value(4), null, below(2));
    const at = below(whole.length);
    const text = below(2) === 0 ? whole : `${whole.slice(0, at)}${pick(pieces)}${whole.slice(at + below(3))}`;
    const expected = parseJson(text);
    for (const apart of [LongStrings.ofText(text), of(text)]) {
      cut += apart.count;
      expect(JSON.stringify(apart.json())).toBe(JSON.stringify(expected) as string);
      if (expected === undefined) continue;
      expect(JSON.stringify(parseJson(apart.wholeToSend(apart.text)))).toBe(JSON.stringify(expected));
    }
    if (expected === undefined) broken += 1;
  }
  expect(Math.min(cut, broken)).toBeGreaterThan(500);
});
