// Bytes that two readers may take for different requests: https://datatracker.ietf.org/doc/html/rfc9112#section-11.2

/** What an attacker wants the upstream to take for a request. */
const SECOND = 'GET /second HTTP/1.1\r\nHost: h\r\n\r\n';
const post = (headers: string, body = '') => `POST / HTTP/1.1\r\nHost: h\r\n${headers}\r\n\r\n${body}`;
const get = (target: string, ...headers: string[]) => [`GET ${target} HTTP/1.1`, 'Host: h', ...headers, '', ''].join('\r\n');
const chunked = (body: string) => post('Transfer-Encoding: chunked', body);
const END = '0\r\n\r\n';

/** Answered with this status, and the connection closed; null: closed without an answer. */
export const REFUSED: Record<string, readonly [bytes: string, status: number | null]> = {
  'a length and chunks': [post('Content-Length: 5\r\nTransfer-Encoding: chunked', END + SECOND), 400],
  'chunks and a length': [post('Transfer-Encoding: chunked\r\nContent-Length: 5', END + SECOND), 400],
  'a length and another coding': [post('Content-Length: 5\r\nTransfer-Encoding: identity', `12345${SECOND}`), 400],
  'another coding': [post('Transfer-Encoding: identity', `5\r\n12345\r\n${END}`), 400],
  'two lengths': [post('Content-Length: 5\r\nContent-Length: 0', '12345'), 400],
  'a list of lengths': [post('Content-Length: 5, 5', '12345'), 400],
  'a length with a plus': [post('Content-Length: +5', '12345'), 400],
  'a negative length': [post('Content-Length: -5', '12345'), 400],
  'a length in hex': [post('Content-Length: 0x5', '12345'), 400],
  'a length with a rest': [post('Content-Length: 5 a', '12345'), 400],
  'no length after the colon': [post('Content-Length: ', '12345'), 400],
  'a length past all numbers': [post('Content-Length: 99999999999999999999', '12345'), 400],
  'a space before the colon of a length': [post('Content-Length : 5', '12345'), 400],
  'a space before the colon of a coding': [post('Transfer-Encoding : chunked', END + SECOND), 400],
  'a coding that looks like chunks': [post('Transfer-Encoding: xchunked', END + SECOND), 400],
  'chunks that are not last': [post('Transfer-Encoding: chunked, identity', END + SECOND), 400],
  'chunks after another coding': [post('Transfer-Encoding: gzip, chunked', END + SECOND), 400],
  'chunks twice': [post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', END + SECOND), 400],
  'chunks and something else': [post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x', END + SECOND), 400],
  'chunks after a vertical tab': [post('Transfer-Encoding: \x0bchunked', END + SECOND), 400],
  'chunks in quotes': [post('Transfer-Encoding: "chunked"', END + SECOND), 400],
  'chunks with a parameter': [post('Transfer-Encoding: chunked;q=1', END + SECOND), 400],
  'chunks on the next line': [post('Transfer-Encoding:\r\n chunked', END + SECOND), 400],
  'chunks in HTTP/1.0': [`POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${END}${SECOND}`, 400],
  'a folded line': [post('X-A: 1\r\n 2\r\nContent-Length: 0'), 400],
  'a folded first line': ['GET / HTTP/1.1\r\n Host: h\r\n\r\n', 400],
  'lines that end in LF alone': ['GET / HTTP/1.1\nHost: h\n\n', 505],
  'a line that ends in LF alone': ['GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\nX-B: 2\r\n\r\n', 400],
  'a line that ends in CR alone': ['GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\rX-B: 2\r\n\r\n', 400],
  'a head that ends in LF alone': [`GET / HTTP/1.1\r\nHost: h\r\n\n${SECOND}`, 400],
  'NUL in a value': [post('X-A: a\0b\r\nContent-Length: 0'), 400],
  'NUL in a name': [post('X\0A: b\r\nContent-Length: 0'), 400],
  'a control character in a value': [post('X-A: a\x01b\r\nContent-Length: 0'), 400],
  'a name that is empty': [post(': v\r\nContent-Length: 0'), 400],
  'a name with a space': [post('X A: b\r\nContent-Length: 0'), 400],
  'a line without a colon': [post('garbage\r\nContent-Length: 0'), 400],
  'a chunk whose size is in C': [chunked(`0x5\r\n12345\r\n${END}`), 400],
  'a chunk whose size has a plus': [chunked(`+5\r\n12345\r\n${END}`), 400],
  'a chunk whose size is negative': [chunked(`-1\r\n12345\r\n${END}`), 400],
  'a chunk whose size is followed by a space': [chunked(`5 \r\n12345\r\n${END}`), 400],
  'a chunk whose size is past all numbers': [chunked(`10000000000000005\r\n12345\r\n${END}`), 400],
  'a chunk without a size': [chunked(`\r\n12345\r\n${END}`), 400],
  'a chunk that is longer than it says': [chunked(`3\r\n12345\r\n${END}`), 400],
  'a chunk that runs into the next': [chunked(`5\r\n123450\r\n\r\n${SECOND}`), 400],
  'a chunk whose size ends in LF alone': [chunked(`5\n12345\n0\n\n${SECOND}`), 400],
  'an extension of a chunk that ends in LF alone': [chunked(`5;a\n12345\r\n${END}`), 400],
  'an extension of a chunk without end': [chunked(`5;${'a'.repeat(20_000)}\r\n12345\r\n${END}`), 413],
  'a last chunk that ends in LF alone': [chunked(`0\r\n\n${SECOND}`), 400],
  'more body than the length says': [post('Content-Length: 4', `12345${SECOND}`), 400],
  'a request before the answer to the one before it': [get('/first') + SECOND, null],
  'a target with a space': [get('/a b'), 505],
  'a target with a tab': [get('/a\tb'), 505],
  'a target with NUL': [get('/a\0b'), 505],
  'a target with CR': [get('/a\rb'), 505],
  'a host alone for a target': [get('h:80'), 400],
  'two spaces before the target': [get(' /'), 400],
  'no target': ['GET HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  'HTTP/0.9': ['GET /\r\n', 505],
  'a version that is none': ['GET / HTTP/01.1\r\nHost: h\r\n\r\n', 505],
  'a version that is not spoken here': ['GET / HTTP/2.0\r\nHost: h\r\n\r\n', 505],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'a method that is none': ['G(T / HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  'a space before the method': [` ${get('/')}`, 400],
  'no Host': ['GET / HTTP/1.1\r\nX: 1\r\n\r\n', 400],
  '300 fields': [get('/', ...Array.from({ length: 300 }, (_, index) => `X-${index}: 1`)), 431],
  'a field of 100 KB': [get('/', `X: ${'a'.repeat(100_000)}`), 431],
  'a target of 100 KB': [get(`/${'a'.repeat(100_000)}`), 431],
};

/** Answered with 400 by the gateway itself, which leaves the connection to the next request. */
export const BAD: Record<string, string> = {
  'the same length twice': post('Content-Length: 5\r\nContent-Length: 5', '12345'),
  'two hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'a list of hosts': 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n',
  'a host with a path': 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
  'a host with a user': 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n',
  'a host with a fragment': 'GET / HTTP/1.1\r\nHost: a#b\r\n\r\n',
  'a host with a query': 'GET / HTTP/1.1\r\nHost: a?b\r\n\r\n',
  'a host with a backslash': 'GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n',
};

/** What the upstream gets: the request, how its body is framed, and the body. */
export const PASSED: Record<string, readonly [bytes: string, received: string]> = {
  'chunks after a tab': [post('Transfer-Encoding:\tchunked', END), 'POST / chunked ""'],
  'chunks in capitals': [post('Transfer-Encoding: CHUNKED', `5\r\n12345\r\n${END}`), 'POST / chunked "12345"'],
  'chunks with extensions': [chunked(`5;a=b;c="d"\r\n12345\r\n${END}`), 'POST / chunked "12345"'],
  'an extension that quotes the end of its line': [chunked(`5;a="\r\n12345\r\n${END}`), 'POST / chunked "12345"'],
  'a chunk size with zeros before it': [chunked(`0000000000000005\r\n12345\r\n${END}`), 'POST / chunked "12345"'],
  'a body that looks like a request': [
    post(`Content-Length: ${SECOND.length}`, SECOND),
    `POST / ${SECOND.length} ${JSON.stringify(SECOND)}`,
  ],
  'a body that nobody expects': [get('/', `Content-Length: ${SECOND.length}`) + SECOND, 'GET / none ""'],
  'chunks that nobody expects': [`${get('/', 'Transfer-Encoding: chunked')}5\r\n12345\r\n${END}`, 'GET / none ""'],
  'a length that is for this hop': [post('Connection: content-length\r\nContent-Length: 5', '12345'), 'POST / 5 "12345"'],
  'chunks that are for this hop': [
    post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked', `5\r\n12345\r\n${END}`),
    'POST / chunked "12345"',
  ],
  'a Host that is for this hop': [get('/', 'Connection: host'), 'GET / none ""'],
  'a whole URL for a target': [get('http://other/a?b'), 'GET /a?b none ""'],
  'a URL with a user for a target': [get('http://user@other/a'), 'GET /a none ""'],
  'an encoded line break in the target': [get('/a%0d%0aX:%201'), 'GET /a%0d%0aX:%201 none ""'],
  'letters beyond ASCII in the target': [get('/\xc3\xa4'), 'GET /%C3%A4 none ""'],
  'an underscore in place of a dash': [post('Content_Length: 5\r\nContent-Length: 0'), 'POST / 0 ""'],
  'an upgrade to HTTP/2': [get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ'), 'GET / none ""'],
  'an upgrade that no WebSocket is': [get('/', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 777'), 'GET / none ""'],
  'a demand that nobody knows': [post('Expect: the-unexpected\r\nContent-Length: 5', '12345'), 'POST / 5 "12345"'],
};

/** As they go over the wire. */
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
