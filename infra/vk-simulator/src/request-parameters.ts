import type { IncomingMessage } from 'node:http';

/** More than any request of a real client; beyond it the connection is closed. */
const LARGEST_BODY = 8 * 1024 * 1024;

export class BodyTooLarge extends Error {}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > LARGEST_BODY) throw new BodyTooLarge();
    chunks.push(chunk as Buffer);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

export interface ApiRequest {
  /** In the order sent, query before body, without the token. */
  parameters: Map<string, string>;
  token: string | undefined;
}

/**
 * Reads parameters from query and body. VK takes urlencoded and multipart forms; a JSON body is no form, so its
 * parameters are simply missing. A token parameter wins over the header.
 */
export function parametersOf(request: IncomingMessage, body: Buffer): ApiRequest {
  const parameters = new Map<string, string>();
  const query = request.url?.indexOf('?') ?? -1;
  if (query !== -1) addForm(parameters, (request.url as string).slice(query + 1));
  const type = request.headers['content-type'] ?? '';
  if (/^application\/x-www-form-urlencoded/i.test(type)) {
    addForm(parameters, body.toString('utf8'));
  } else {
    const boundary = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
    if (boundary !== null) addMultipart(parameters, body, boundary[1] ?? boundary[2] ?? '');
  }
  const token =
    parameters.get('access_token') ?? /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  parameters.delete('access_token');
  return { parameters, token };
}

function addForm(parameters: Map<string, string>, form: string): void {
  for (const [name, value] of new URLSearchParams(form)) parameters.set(name, value);
}

/** Files are not among the parameters that the simulator knows: parts with a file name are skipped. */
function addMultipart(parameters: Map<string, string>, body: Buffer, boundary: string): void {
  const mark = Buffer.from(`--${boundary}`);
  let start = body.indexOf(mark);
  while (start !== -1) {
    const end = body.indexOf(mark, start + mark.length);
    if (end === -1) return;
    const part = body.subarray(start + mark.length + 2, end - 2);
    const split = part.indexOf('\r\n\r\n');
    const head = part.subarray(0, Math.max(split, 0)).toString('utf8');
    const name = /\bname="([^"]*)"/i.exec(head)?.[1];
    if (split !== -1 && name !== undefined && !/\bfilename=/i.test(head)) {
      parameters.set(name, part.subarray(split + 4).toString('utf8'));
    }
    start = end;
  }
}
