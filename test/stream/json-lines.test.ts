import { describe, expect, test } from 'bun:test';
import { decodeJsonLines } from '../../src/stream/json-lines.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const dataOf = (chunks: Iterable<Uint8Array>) => {
  const decode = decodeJsonLines();
  return [...chunks].flatMap(chunk => decode(chunk)).map(({ data }) => JSON.parse(data));
};

describe('lines of JSON', () => {
  const text = '{"a":"é"}\r\n\n{"b":"\\n😀"}\n   \n[1]\n';
  const lines = [{ a: 'é' }, { b: '\n😀' }, [1]];

  test.each<[string, Iterable<Uint8Array>]>([
    ['whole', [bytes(text)]],
    [
      'byte by byte',
      bytes(text)
        .values()
        .map(byte => Uint8Array.of(byte)),
    ],
    ['with empty chunks', [bytes(''), bytes(text.slice(0, 3)), bytes(''), bytes(text.slice(3))]],
  ])('are the same fed %s', (_, chunks) => {
    expect(dataOf(chunks)).toEqual(lines);
  });

  test('that did not end are none', () => {
    expect(dataOf([bytes('{"a":1}\n{"b":2}')])).toEqual([{ a: 1 }]);
  });

  test('may not be longer than they are allowed to be', () => {
    const decode = decodeJsonLines(10);
    expect(decode(bytes('12345678\n'))).toHaveLength(1);
    expect(decode(bytes('123456'))).toEqual([]);
    expect(() => decode(bytes('78901'))).toThrow('a line longer than 10 characters');
  });
});
