import { chooseRows, chooseSystems, ROWS } from './rows';

const names = (...words: string[]): string[] => chooseRows(words).map(({ name }) => name);

describe('the sweep', () => {
  it('has five jitters twice, both fixed windows, and the scenarios', () => {
    expect(ROWS.map(({ name }) => name)).toEqual([
      ...[0, 5, 20, 50, 100].map((jitter) => `jitter-${jitter}`),
      ...[0, 5, 20, 50, 100].map((jitter) => `jitter-${jitter}-varied`),
      'fixed-clock',
      'fixed-first-call',
      'workers-1',
      'workers-2',
      'workers-4',
      'workers-8',
      'shift',
      'foreign',
    ]);
  });

  it('asks of each row what the issue asks of it', () => {
    expect(Object.fromEntries(ROWS.map(({ name, bar }) => [name, bar]))).toEqual({
      'jitter-0': { ofCeiling: 0.98 },
      'jitter-5': undefined,
      'jitter-20': { used: 0.97 },
      'jitter-50': { ofCeiling: 0.98 },
      'jitter-100': { ofCeiling: 0.98 },
      'jitter-0-varied': { ofCeiling: 0.97 },
      'jitter-5-varied': { ofCeiling: 0.97 },
      'jitter-20-varied': { ofCeiling: 0.97 },
      'jitter-50-varied': { ofCeiling: 0.94 },
      'jitter-100-varied': { ofCeiling: 0.91 },
      'fixed-clock': { used: 0.995 },
      'fixed-first-call': { used: 0.995 },
      'workers-1': undefined,
      'workers-2': undefined,
      'workers-4': undefined,
      'workers-8': undefined,
      shift: undefined,
      foreign: { used: 0.97 },
    });
  });

  it('has the same jitter on the reply where the service time varies, and none elsewhere', () => {
    for (const { name, delay, jitterMs, replyJitterMs } of ROWS)
      expect([name, delay, replyJitterMs]).toEqual(
        name.endsWith('-varied') ? [name, '50-300', jitterMs] : [name, '80', 0],
      );
  });
});

describe('choosing', () => {
  it('takes rows by name and by group, each once, in the order of the sweep', () => {
    expect(names('foreign', 'jitter-20', 'fixed')).toEqual([
      'jitter-20',
      'fixed-clock',
      'fixed-first-call',
      'foreign',
    ]);
    expect(names('varied', 'jitter-0-varied')).toHaveLength(5);
    expect(names('sliding')).toHaveLength(10);
    expect(names('scenarios')).toHaveLength(6);
    expect(names('all')).toHaveLength(ROWS.length);
  });

  it('takes systems by name and by group, in the usual order', () => {
    expect(chooseSystems(['tuned', 'ours'])).toEqual([
      'ours',
      'bottleneck-tuned',
      'rate-limiter-flexible-tuned',
      'bullmq-tuned',
    ]);
    expect(chooseSystems(['all'])).toHaveLength(7);
    expect(chooseSystems(['bullmq', 'peers'])).toEqual(['bottleneck', 'rate-limiter-flexible', 'bullmq']);
  });
});
