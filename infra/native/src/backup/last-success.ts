import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrometheusServer } from '../servers/prometheus';
import type { Stack } from '../stack';

/** When the newest backup was begun, in seconds since the epoch. */
export const SERIES = 'backup_last_success_timestamp_seconds';

/** A rule that is this one number: nobody runs between two backups whom Prometheus could ask. */
export function ruleOf(seconds: number): string {
  return [
    'groups:',
    '  - name: sociograph-backup-of-this-stack',
    '    rules:',
    `      - record: ${SERIES}`,
    `        expr: vector(${seconds})`,
    '',
  ].join('\n');
}

/** For the textfile collector of a node exporter. */
export function textOf(stack: string, seconds: number): string {
  return [
    `# HELP ${SERIES} When the newest backup was begun`,
    `# TYPE ${SERIES} gauge`,
    `${SERIES}{stack="${stack}"} ${seconds}`,
    '',
  ].join('\n');
}

/** Tells the stack's own Prometheus; elsewhere the text file that lies beside the backups is read. */
export async function tellPrometheus(
  stack: Stack,
  prometheus: Pick<PrometheusServer, 'given' | 'url'>,
  seconds: number,
): Promise<void> {
  const rules = join(stack.dir, 'data', 'prometheus', 'rules');
  if (prometheus.given() !== undefined || !existsSync(rules)) return;
  writeFileSync(join(rules, 'last-backup.yml'), ruleOf(seconds));
  await fetch(`${prometheus.url()}/-/reload`, { method: 'POST', signal: AbortSignal.timeout(5_000) }).catch(
    () => undefined, // It is down: it reads the file when it starts.
  );
}
