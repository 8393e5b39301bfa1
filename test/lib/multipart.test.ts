import { describe, expect, test } from 'bun:test';
import { boundaryOf, multipartFields, withoutField } from '../../src/lib/multipart.ts';

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['Multipart/Form-Data;charset=utf-8; boundary="a b"', 'a b'],
  ['multipart/form-data; boundary=abc; charset=utf-8', 'abc'],
  ['multipart/form-data', null],
  ['multipart/mixed; boundary=abc', null],
  ['text/plain; boundary=abc', null],
  ['', null],
])('the boundary that %s names', (type, boundary) => {
  expect(boundaryOf(type)).toBe(boundary);
});

const part = (name: string, value: string, more = '') => `--X\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
const bytes = (text: string) => new TextEncoder().encode(text);
const fieldsOf = (text: string) => Object.fromEntries(multipartFields(bytes(text), 'X'));

describe('the fields of a form', () => {
  test.each([
    ['several', `${part('a', '1')}${part('b', 'é\r\nx')}--X--\r\n`, { a: '1', b: 'é\r\nx' }],
    ['a file', `${part('f', 'text', '; filename="a.txt"\r\nContent-Type: text/plain')}--X--`, { f: 'text' }],
    ['text before them', `hello\r\n${part('a', '1')}--X--`, { a: '1' }],
    ['one that comes twice', `${part('a', '1')}${part('a', '2')}--X--`, { a: '2' }],
    ['a part without a name', '--X\r\nContent-Type: text/plain\r\n\r\nx\r\n--X--', {}],
    ['a part without an end', part('a', '1'), {}],
    ['a part without a head', '--X\r\nname="a"\r\n--X--', {}],
    ['nothing', '', {}],
  ])('%s', (_, text, fields) => {
    expect(fieldsOf(text)).toEqual(fields);
  });

  test('as browsers and Bun write them', async () => {
    const form = new FormData();
    form.append('key', 'ä');
    form.append('file', new Blob([new Uint8Array([0, 1, 13, 10])]), 'x.bin');
    const sent = new Response(form);
    const fields = multipartFields(await sent.bytes(), boundaryOf(sent.headers.get('content-type') ?? '') ?? '');
    expect(fields.get('key')).toBe('ä');
  });
});

test('a field goes, wherever it is and however often, and nothing else', () => {
  const without = (text: string) => new TextDecoder().decode(withoutField(bytes(text), 'X', 'k'));
  expect(without(`${part('k', '1')}${part('a', '2')}${part('k', '3')}--X--`)).toBe(`${part('a', '2')}--X--`);
  expect(without(`${part('a', '2')}--X--`)).toBe(`${part('a', '2')}--X--`);
});
