import { describe, expect, test } from 'bun:test';
import { boundaryOf, encodeMultipart, field, multipartFields, parseMultipart, renamed, withoutField } from '../../src/lib/multipart.ts';

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
    // Once the body is read, the header is gone.
    const boundary = boundaryOf(sent.headers.get('content-type') ?? '') ?? '';
    const fields = multipartFields(await sent.bytes(), boundary);
    expect(fields.get('key')).toBe('ä');
  });
});

test('a field goes, wherever it is and however often, and nothing else', () => {
  const without = (text: string) => new TextDecoder().decode(withoutField(bytes(text), 'X', 'k'));
  expect(without(`${part('k', '1')}${part('a', '2')}${part('k', '3')}--X--`)).toBe(`${part('a', '2')}--X--\r\n`);
  expect(without(`${part('a', '2')}--X--`)).toBe(`${part('a', '2')}--X--\r\n`);
});

const binary = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const written = (form: Uint8Array) => Buffer.from(form).toString('latin1');
const FILE =
  '--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: application/x\r\n\r\n\x00\xff\r\n--\r\nx\r\n';
const FIELD = '--b\r\ncontent-disposition: form-data; name="a \\"b\\""\r\n\r\n\r\n';
const END = '--b--\r\n';

test('a form is the same after it was read', () => {
  const parts = parseMultipart(binary(FILE + FIELD + END), 'b');
  expect(parts?.map(({ name, body }) => [name, body])).toEqual([
    ['f', '\x00\xff\r\n--\r\nx'],
    ['a "b"', ''],
  ]);
  expect(written(encodeMultipart(parts ?? [], 'b'))).toBe(FILE + FIELD + END);
});

test('what comes before the first part and after the last is left out', () => {
  expect(written(encodeMultipart(parseMultipart(binary(`hello\r\n${FIELD}--b--\r\nbye`), 'b') ?? [], 'b'))).toBe(FIELD + END);
});

test('a form without parts is one', () => {
  expect(parseMultipart(binary(END), 'b')).toEqual([]);
});

describe('a part', () => {
  test('keeps its file under another name', () => {
    const [part] = parseMultipart(binary(FILE + END), 'b') ?? [];
    expect(renamed(part ?? field('', ''), 'g"$&').head).toBe(
      'Content-Disposition: form-data; name="g\\"$&"; filename="a.bin"\r\nContent-Type: application/x\r\n',
    );
  });

  test('can be made, on lines of its own', () => {
    expect(field('a\r\nb', 'v').head).toBe('Content-Disposition: form-data; name="a%0D%0Ab"\r\n');
  });
});

test.each([
  ['nothing', ''],
  ['another boundary', '--c\r\n\r\n--c--\r\n'],
  ['no end', FIELD],
  ['a part whose head does not end', '--b\r\nContent-Disposition: form-data; name="a"\r\n--b--\r\n'],
  ['a longer boundary', '--bb\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'],
])('%s is no form', (_, body) => {
  expect(parseMultipart(binary(body), 'b')).toBeNull();
});
