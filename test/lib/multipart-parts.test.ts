import { describe, expect, test } from 'bun:test';
import { encodeMultipart, field, parseMultipart, renamed } from '../../src/lib/multipart-parts.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const text = (form: Uint8Array) => Buffer.from(form).toString('latin1');
const FILE =
  '--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: application/x\r\n\r\n\x00\xff\r\n--\r\nx\r\n';
const FIELD = '--b\r\ncontent-disposition: form-data; name="a \\"b\\""\r\n\r\n\r\n';
const END = '--b--\r\n';

test('a form is the same after it was read', () => {
  const parts = parseMultipart(bytes(FILE + FIELD + END), 'b');
  expect(parts?.map(({ name, body }) => [name, body])).toEqual([
    ['f', '\x00\xff\r\n--\r\nx'],
    ['a "b"', ''],
  ]);
  expect(text(encodeMultipart(parts ?? [], 'b'))).toBe(FILE + FIELD + END);
});

test('what comes before the first part and after the last is left out', () => {
  expect(text(encodeMultipart(parseMultipart(bytes(`hello\r\n${FIELD}--b--\r\nbye`), 'b') ?? [], 'b'))).toBe(FIELD + END);
});

test('a form without parts is one', () => {
  expect(parseMultipart(bytes(END), 'b')).toEqual([]);
});

describe('a part', () => {
  test('keeps its file under another name', () => {
    const [part] = parseMultipart(bytes(FILE + END), 'b') ?? [];
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
  ['a part without a name', '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n'],
  ['a part whose head does not end', '--b\r\nContent-Disposition: form-data; name="a"\r\n--b--\r\n'],
  ['a longer boundary', '--bb\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'],
])('%s is no form', (_, body) => {
  expect(parseMultipart(bytes(body), 'b')).toBeNull();
});
