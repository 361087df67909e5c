import { chooseRows } from './rows';
import { tableOf } from './table';
import { faultsOf } from './verdict';
import type { Line } from './worst';

const line = (row: string, more: Partial<Line> = {}): Line => {
  const [found] = chooseRows([row]);
  if (found === undefined) throw new Error(row);
  return {
    row: found,
    system: 'ours',
    workers: found.workers ?? 2,
    rounds: 3,
    used: 0.999,
    ofCeiling: 0.999,
    refused: 0,
    refusedShare: 0,
    refusedOfMinute: 0,
    leaseP50: 1.25,
    leaseP99: 12.5,
    leasesPerSecond: 58.83,
    lagMs: 4.26,
    repeats: 1,
    margins: [],
    lost: {},
    ...more,
  };
};

describe('the verdict', () => {
  it('finds nothing where everything asked is just reached', () => {
    expect(
      faultsOf([
        line('jitter-20', { used: 0.97 }),
        line('jitter-50', { ofCeiling: 0.98 }),
        line('jitter-100-varied', { ofCeiling: 0.91 }),
        line('workers-1', { used: 0.98 }),
        line('workers-8', { used: 0.9701 }),
        line('shift', {
          refused: 9,
          refusedOfMinute: 0.005,
          margins: [
            { at: 60, ms: 25 },
            { at: 120, ms: 104 },
            { at: 200, ms: 35 },
          ],
        }),
      ]),
    ).toEqual([]);
  });

  it('names what was not reached, with the figures', () => {
    expect(
      faultsOf([
        line('jitter-20', { used: 0.9699 }),
        line('jitter-0', { ofCeiling: 0.9 }),
        line('fixed-clock', { refused: 2 }),
      ]),
    ).toEqual([
      'jitter-20: 96.99 % used, asked 97.00 %',
      'jitter-0: 90.00 % of the ceiling, asked 98.00 %',
      'fixed-clock: 2 calls were refused',
    ]);
  });

  it('is ahead of a peer only with more use and no more refusals', () => {
    const ours = line('jitter-5', { used: 0.98 });
    const peer = (used: number, refused: number): Line =>
      line('jitter-5', { system: 'bullmq', used, refused });
    expect(faultsOf([ours, peer(0.98, 0)])).toEqual([]);
    expect(faultsOf([ours, peer(0.981, 0)])).toEqual(['jitter-5: not ahead of bullmq (98.10 % used)']);
    expect(faultsOf([line('jitter-5', { refused: 1 }), peer(0.5, 0)])).toEqual([
      'jitter-5: 1 calls were refused',
      'jitter-5: not ahead of bullmq (50.00 % used)',
    ]);
    expect(faultsOf([ours, { ...peer(1, 0), row: line('jitter-0').row }])).toEqual([]);
  });

  it('lets a growing jitter cost half a percent of a minute, and wants the margin back', () => {
    const margins = [
      { at: 58, ms: 25 },
      { at: 62, ms: 99 },
      { at: 210, ms: 35.1 },
    ];
    expect(faultsOf([line('shift', { refusedOfMinute: 0.0051, margins })])).toEqual([
      "shift: 0.51 % of one minute's calls were refused",
      'shift: the margin was 25.0 ms before, and 35.1 ms at the end',
    ]);
    expect(faultsOf([line('shift')])).toEqual(['shift: the pool told no margin']);
  });

  it('lets the number of workers move utilisation by one point', () => {
    expect(faultsOf([line('workers-1', { used: 0.98 }), line('workers-4', { used: 0.9699 })])).toEqual([
      'workers: utilisation moves by 1.01 % with their number',
    ]);
    expect(faultsOf([line('workers-1', { used: 0.9 })])).toEqual([]);
  });
});

describe('the table', () => {
  it('says in words what was measured, aligned', () => {
    const text = tableOf([
      line('jitter-20'),
      line('jitter-100-varied', {
        system: 'bullmq-tuned',
        used: 0.7661,
        ofCeiling: 0.84,
        refused: 3,
        refusedShare: 0.2339,
        leaseP50: NaN,
        leaseP99: NaN,
      }),
      line('workers-1'),
    ]);
    expect(text.split('\n').map((row) => row.trim().split(/ {2,}/))).toEqual([
      [
        'what the provider is like',
        'limiter',
        'used',
        'of ceiling',
        'refused',
        'lease p50',
        'p99',
        'leases/s',
        'lag',
        'repeats',
      ],
      [
        'sliding, jitter 20 ms, service 80 ms',
        'ours',
        '99.9 %',
        '99.9 %',
        '0',
        '1.3 ms',
        '12.5 ms',
        '58.8',
        '4.3 ms',
        '1',
      ],
      [
        'sliding, jitter 100 ms both ways, service 50-300 ms',
        'bullmq, hand-tuned',
        '76.6 %',
        '84.0 %',
        '23.39 %',
        '-',
        '-',
        '58.8',
        '4.3 ms',
        '1',
      ],
      [
        'sliding, jitter 20 ms, service 80 ms, 1 worker',
        'ours',
        '99.9 %',
        '99.9 %',
        '0',
        '1.3 ms',
        '12.5 ms',
        '58.8',
        '4.3 ms',
        '1',
      ],
    ]);
    expect(new Set(text.split('\n').map((row) => row.length)).size).toBe(1);
  });
});
