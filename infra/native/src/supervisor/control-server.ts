import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { ControlReply, ControlRequest } from './control';

const LONGEST_REQUEST = 1024 * 1024;

/** One JSON line in, one JSON document out, per connection. The socket's folder is ours, so only we can reach it. */
export function listenForControl(
  path: string,
  handle: (request: ControlRequest) => Promise<ControlReply>,
  answered: (request: ControlRequest) => void,
): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      if (text.length > LONGEST_REQUEST) socket.destroy();
      const end = text.indexOf('\n');
      if (end === -1) return;
      const line = text.slice(0, end);
      text = '';
      void reply(line, handle).then(({ request, answer }) => {
        socket.end(JSON.stringify(answer), () => {
          if (request !== undefined) answered(request);
        });
      });
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

async function reply(
  line: string,
  handle: (request: ControlRequest) => Promise<ControlReply>,
): Promise<{ request: ControlRequest | undefined; answer: ControlReply }> {
  let request: ControlRequest | undefined;
  try {
    request = JSON.parse(line) as ControlRequest;
    return { request, answer: await handle(request) };
  } catch (error) {
    return { request, answer: { ok: false, error: error instanceof Error ? error.message : String(error) } };
  }
}
