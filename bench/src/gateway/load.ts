import http from 'node:http';

export interface Load {
  requests: number;
  perSecond: number;
  medianMs: number;
  p99Ms: number;
  /** By status. */
  statuses: Record<string, number>;
}

/** Sends the next request on each connection as soon as the last was answered. */
export async function load(
  port: number,
  connections: number,
  seconds: number,
  headers: () => Record<string, string>,
): Promise<Load> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  const started = performance.now();
  const end = started + seconds * 1000;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = performance.now();
      const request = http.get(
        { host: '127.0.0.1', port, path: '/v1/keys', agent, headers: headers() },
        (answer) => {
          answer.resume();
          answer.on('end', () => {
            times.push(performance.now() - sent);
            statuses[String(answer.statusCode)] = (statuses[String(answer.statusCode)] ?? 0) + 1;
            resolve();
          });
        },
      );
      request.on('error', reject);
    });
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) await one();
    }),
  );
  const took = (performance.now() - started) / 1000;
  agent.destroy();
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
