import { createConnection } from 'node:net';

const WITHIN_MS = 2_000;

/** One command over a connection of its own, as the account of the address; the raw reply, or '' when there was none. */
export function askRedis(url: string, words: readonly string[]): Promise<string> {
  const encode = (parts: readonly string[]): string =>
    `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
  return new Promise((resolve) => {
    const address = new URL(url);
    const login = [address.username || 'default', decodeURIComponent(address.password)];
    const socket = createConnection(Number(address.port || 6379), address.hostname);
    let text = '';
    const finish = (reply: string): void => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(WITHIN_MS, () => finish(''));
    socket.once('error', () => finish(''));
    socket.once('connect', () => socket.write(encode(['AUTH', ...login]) + encode(words)));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      const end = text.indexOf('\r\n');
      if (end !== -1 && isWhole(text.slice(end + 2))) finish(text.slice(end + 2));
    });
  });
}

/** A section of INFO, or '' when there was no answer. */
export async function infoOf(url: string, section: string): Promise<string> {
  return (await askRedis(url, ['INFO', section])).replace(/^\$\d+\r\n/, '');
}

/** True when nothing more comes of a reply that is a line or a text of so many bytes (`$N`). */
function isWhole(reply: string): boolean {
  const end = reply.indexOf('\r\n');
  if (end === -1) return false;
  const bytes = reply.startsWith('$') ? Number(reply.slice(1, end)) : -1;
  return bytes < 0 || Buffer.byteLength(reply) >= end + 2 + bytes + 2;
}
