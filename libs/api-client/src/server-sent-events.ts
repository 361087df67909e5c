/** One event of a stream; `id` is the last one that the stream gave so far. */
export interface ServerSentEvent {
  event: string;
  id: string | undefined;
  data: string;
}

/** More than this without the end of a line is no event stream. */
const LONGEST_LINE = 1_000_000;

/** Events of a body of `text/event-stream` (WHATWG's parsing); an event that the end of the body cuts off is dropped. */
export async function* serverSentEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void> {
  let id: string | undefined;
  let event = '';
  let data: string[] = [];
  for await (const line of lines(body)) {
    if (line === '') {
      if (data.length > 0) yield { event: event === '' ? 'message' : event, id, data: data.join('\n') };
      event = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
}

/** Lines end with LF, CR or CRLF, which may lie across two pieces of the body. */
async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    rest += decoder.decode(piece, { stream: true });
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(rest);
      if (end === null) break;
      yield rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
    }
    if (rest.length > LONGEST_LINE) throw new Error('The stream holds a line that is no event');
  }
  if (rest.endsWith('\r')) yield rest.slice(0, -1);
}
