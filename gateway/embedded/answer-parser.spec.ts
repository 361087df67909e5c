import { AnswerParser, MalformedAnswer } from './answer-parser';

/** What a parser says of an answer that comes in pieces of `size` bytes. */
function read(text: string, { toHead = false, size = Number.POSITIVE_INFINITY, closes = false } = {}) {
  const said: string[] = [];
  let body = '';
  const parser = new AnswerParser(toHead, {
    head: ({ status, reason, fields, isSized }) =>
      said.push(
        `${status} ${reason}${isSized ? ' sized' : ''}`,
        ...fields.map(({ name, value }) => `${name}=${value}`),
      ),
    data: (chunk) => (body += chunk.toString('latin1')),
    end: () => said.push(`end ${body}`),
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) parser.feed(bytes.subarray(at, at + size));
  const whole = closes ? parser.close() : parser.isDone;
  return { said, body, whole, keepsAlive: parser.keepsAlive };
}
const answer = (fields: string, body = '', status = '200 OK', version = '1.1'): string =>
  `HTTP/${version} ${status}\r\n${fields.replaceAll('\n', '\r\n')}${fields === '' ? '' : '\r\n'}\r\n${body}`;

describe('an answer', () => {
  it.each([
    [
      'sized',
      answer('Content-Length: 5\nX-A:  b c \t\nx-a:', 'hello'),
      ['200 OK sized', 'Content-Length=5', 'X-A=b c', 'x-a=', 'end hello'],
    ],
    ['without a body', answer('content-length: 0'), ['200 OK sized', 'content-length=0', 'end ']],
    [
      'that says its length twice alike',
      answer('content-length: 1\nContent-Length: 1', 'x'),
      ['200 OK sized', 'content-length=1', 'Content-Length=1', 'end x'],
    ],
    [
      'in chunks',
      answer('Transfer-Encoding: chunked', '5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-T: 1\r\n\r\n'),
      ['200 OK', 'Transfer-Encoding=chunked', 'end hello world'],
    ],
    [
      'with none of its chunks filled',
      answer('transfer-encoding: Chunked', '0\r\n\r\n'),
      ['200 OK', 'transfer-encoding=Chunked', 'end '],
    ],
    ['with nothing but a status', answer('', '', '204 '), ['204  sized', 'end ']],
    [
      'not modified, with the length that it would have',
      answer('Content-Length: 7', '', '304 Not Modified'),
      ['304 Not Modified sized', 'Content-Length=7', 'end '],
    ],
    [
      'after others that come before it',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${answer('Content-Length: 1', 'x')}`,
      ['200 OK sized', 'Content-Length=1', 'end x'],
    ],
    [
      'without a reason',
      'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n',
      ['200  sized', 'Content-Length=0', 'end '],
    ],
  ])('%s is understood, in whatever pieces it comes', (_, text, said) => {
    for (const size of [1, 2, 3, 7, 1000]) expect([size, read(text, { size }).said]).toEqual([size, said]);
    expect(read(text)).toMatchObject({ whole: true, keepsAlive: true });
  });

  it('to a HEAD ends with its head', () => {
    expect(read(answer('Content-Length: 9'), { toHead: true }).said.at(-1)).toBe('end ');
    expect(read(answer('Transfer-Encoding: chunked'), { toHead: true })).toMatchObject({
      whole: true,
      keepsAlive: true,
    });
  });

  it('without a length ends with its connection', () => {
    for (const size of [1, 1000]) {
      const text = answer('X-A: b', 'as long as it takes');
      expect(read(text, { size })).toMatchObject({ whole: false, keepsAlive: false });
      expect(read(text, { size, closes: true })).toMatchObject({ whole: true, body: 'as long as it takes' });
    }
  });

  it.each([
    answer('Content-Length: 5', 'hell'),
    answer('Transfer-Encoding: chunked', '5\r\nhello\r\n'),
    answer('Transfer-Encoding: chunked', '5\r\nhel'),
    'HTTP/1.1 200 OK\r\nContent-Le',
    '',
  ])('that is cut off is not whole: %j', (text) => {
    expect(read(text, { closes: true }).whole).toBe(false);
  });

  it.each([
    ['1.1', '', true],
    ['1.1', 'Connection: keep-alive\n', true],
    ['1.1', 'Connection: x, Close\n', false],
    ['1.0', '', false],
    ['1.0', 'connection: Keep-Alive\n', true],
  ])('of version %s with %j leaves its connection open: %s', (version, fields, keepsAlive) => {
    expect(read(answer(`${fields}Content-Length: 0`, '', '200 OK', version)).keepsAlive).toBe(keepsAlive);
  });

  it.each([
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 099 No\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 200 a\x07b\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    answer('No colon'),
    answer('Blank : x'),
    answer('X-A: b\n folded'),
    answer('X-A: b\0c'),
    answer('X-A: b\rc'),
    answer('X-A: b').replace('200 OK\r\n', '200 OK\n'),
    answer('Content-Length: 1\nContent-Length: 2', 'x'),
    answer('Content-Length: 1\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    answer('Content-Length: -1'),
    answer('Content-Length: 1, 1', 'x'),
    answer('Content-Length: 0x1', 'x'),
    answer('Content-Length: 1234567890123456', 'x'),
    answer('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
    answer('Transfer-Encoding: chunked\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    answer('Transfer-Encoding: identity'),
    answer('Transfer-Encoding: chunked', 'g\r\n'),
    answer('Transfer-Encoding: chunked', '123456789\r\n'),
    answer('Transfer-Encoding: chunked', '1\r\nab\r\n'),
    answer('Transfer-Encoding: chunked', `1;${'x'.repeat(1100)}`),
    answer('Content-Length: 1', 'xy'),
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(65_536)}`,
  ])('that breaks the rules is refused: %j', (text) => {
    expect(() => read(text)).toThrow(MalformedAnswer);
    expect(() => read(text, { size: 5 })).toThrow(MalformedAnswer);
  });

  it('may have a head of 64 KB', () => {
    const fields = Array.from({ length: 64 }, (_, n) => `X-${n}: ${'x'.repeat(1000)}`).join('\n');
    expect(read(answer(`${fields}\nContent-Length: 0`), { size: 4096 }).whole).toBe(true);
  });

  it('has begun with its first byte', () => {
    const parser = new AnswerParser(false, {
      head: () => undefined,
      data: () => undefined,
      end: () => undefined,
    });
    expect(parser.hasBegun).toBe(false);
    parser.feed(Buffer.from('H'));
    expect(parser.hasBegun).toBe(true);
  });
});
