import http from 'node:http';

export interface OpenStream {
  status: number;
  type: string | undefined;
  /** What came so far. */
  text(): string;
  /** Its other end has finished it. */
  ended(): boolean;
  close(): void;
}

/** Asks for Server-Sent Events and reads them as they come; resolves with the head of the answer. */
export function openStream(url: string, headers: Record<string, string>): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const asked = { ...headers, accept: 'text/event-stream' };
    const request = http.get(url, { headers: asked, agent: false }, (answer) => {
      let text = '';
      let ended = false;
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => (ended = true));
      // A connection that broke off has not ended.
      answer.on('error', () => undefined);
      resolve({
        status: answer.statusCode ?? 0,
        type: answer.headers['content-type'],
        text: () => text,
        ended: () => ended,
        close: () => request.destroy(),
      });
    });
    request.on('error', reject);
  });
}
