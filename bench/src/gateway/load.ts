import net from 'node:net';

export interface Load {
  requests: number;
  perSecond: number;
  medianMs: number;
  p99Ms: number;
  /** By status. */
  statuses: Record<string, number>;
}

/**
 * Sends the next request on each connection as soon as the last was answered. Plain sockets: a client library would
 * need more of the core that it shares with the upstream than both together have.
 */
export async function load(
  port: number,
  connections: number,
  seconds: number,
  token: () => string,
): Promise<Load> {
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  const started = performance.now();
  const end = started + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, () =>
      keepAsking(port, end, token, (status, tookMs) => {
        times.push(tookMs);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }),
    ),
  );
  const took = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    requests: times.length,
    perSecond: times.length / took,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    statuses,
  };
}

function keepAsking(
  port: number,
  end: number,
  token: () => string,
  answered: (status: string, tookMs: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let sent = 0;
    const ask = (): void => {
      sent = performance.now();
      socket.write(
        `GET /v1/keys HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json\r\nAuthorization: Bearer ${token()}\r\n\r\n`,
        'latin1',
      );
    };
    socket.on('connect', ask);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const head = received.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      // Every answer of upstream and gateway to these requests says its length.
      if (Number.isNaN(length))
        return void socket.destroy(new Error(`an answer without a length: ${received}`));
      if (received.length < head + 4 + length) return;
      answered(received.slice(9, 12), performance.now() - sent);
      received = '';
      if (performance.now() < end) ask();
      else socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}
