import type { RestartVerdict } from './restart-run';

export function reportRestarts(verdict: RestartVerdict): string {
  const { restarts, load, offered, capacity, keysInUse, redelivered, misses } = verdict;
  const services = [...new Set(restarts.map(({ name }) => name.replace(/-\d+$/, '')))].sort();
  const rows = services.map((service) => {
    const own = restarts.filter(({ name }) => name.replace(/-\d+$/, '') === service);
    const exits = own.map(({ exitMs }) => exitMs);
    const ready = own.map(({ readyMs }) => readyMs ?? Infinity);
    return `| ${service} | ${own.length} | ${inMs(mean(exits))} | ${inMs(Math.max(...exits))} | ${inMs(Math.max(...ready))} |`;
  });
  return [
    `\ncapacity: ${capacity.requestsPerSecond.toFixed(0)} requests and ${capacity.listsPerSecond.toFixed(0)} friend lists a second at once`,
    `load: ${offered.toFixed(0)} requests a second and ${keysInUse} keys; ${load.sent} requests sent, ` +
      `${load.sent - load.succeeded} failed, p50 ${inMs(load.p50Ms)}, p99 ${inMs(load.p99Ms)}`,
    '',
    '| service | SIGTERMs | gone after, mean | longest | ready again after, longest |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `${restarts.length} restarts, ${redelivered} calls given out again`,
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function inMs(ms: number): string {
  return `${ms.toFixed(0)} ms`;
}
