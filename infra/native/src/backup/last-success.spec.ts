import { mkdirSync, mkdtempSync, readFileSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Stack } from '../stack';
import { ruleOf, tellPrometheus, textOf } from './last-success';

describe('the time of the newest backup', () => {
  it('is a rule of one number', () => {
    expect(parse(ruleOf(1795000000))).toEqual({
      groups: [
        {
          name: 'sociograph-backup-of-this-stack',
          rules: [{ record: 'backup_last_success_timestamp_seconds', expr: 'vector(1795000000)' }],
        },
      ],
    });
  });

  it('is a text for the collector of a node exporter', () => {
    expect(textOf('dev', 1795000000)).toBe(
      '# HELP backup_last_success_timestamp_seconds When the newest backup was begun\n' +
        '# TYPE backup_last_success_timestamp_seconds gauge\n' +
        'backup_last_success_timestamp_seconds{stack="dev"} 1795000000\n',
    );
  });

  it("is told to the stack's own Prometheus, also to one that is down, and to no other", async () => {
    const dir = mkdtempSync(join(tmpdir(), 'stack-'));
    const rule = join(dir, 'data/prometheus/rules/last-backup.yml');
    const server = (given: string | undefined) => ({ given: () => given, url: () => 'http://127.0.0.1:1' });
    const stack = { dir } as Stack;
    try {
      await tellPrometheus(stack, server(undefined), 1);
      expect(existsSync(rule)).toBe(false);
      mkdirSync(join(rule, '..'), { recursive: true });
      await tellPrometheus(stack, server('http://theirs'), 2);
      expect(existsSync(rule)).toBe(false);
      await tellPrometheus(stack, server(undefined), 3);
      expect(readFileSync(rule, 'utf8')).toBe(ruleOf(3));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
