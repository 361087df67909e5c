import { aSpan, TRACE } from '../../test/a-span';
import { duration, printTrace, summarize } from './print-trace';

describe('a printed trace', () => {
  it('is a tree with offsets from the first span, durations, processes and what is odd', () => {
    const lines = printTrace([
      aSpan(1, undefined, {
        name: 'POST parser-service.v1-imports.post',
        service: 'gateway',
        endMs: 1_012.5,
        attributes: { 'http.response.status_code': 202 },
      }),
      aSpan(2, 1, { name: 'POST /v1/imports', service: 'parser-service-0', startMs: 1_001, endMs: 1_011 }),
      aSpan(3, 2, {
        name: 'publish calls',
        service: 'parser-service-0',
        startMs: 1_025.25,
        endMs: 1_027,
        attributes: { 'messaging.batch.message_count': 1 },
      }),
      aSpan(4, 2, {
        name: 'call vk',
        service: 'parser-service-0',
        startMs: 2_500,
        endMs: 3_500,
        failed: true,
        attributes: { 'error.type': 'ECONNRESET' },
        links: [
          { traceId: 'b'.repeat(32), spanId: '1' },
          { traceId: TRACE, spanId: '1' },
        ],
      }),
      aSpan(5, 4, { name: 'late', service: 'k', startMs: 2_498, endMs: 2_499 }),
    ]);
    expect(lines).toEqual([
      `trace ${TRACE}`,
      '5 spans of 3 processes, 2.50 s, from 1970-01-01T00:00:01.000Z, 1 failed',
      '',
      '     began       took  process           span',
      '   +0.0 ms    12.5 ms  gateway           POST parser-service.v1-imports.post  (202)',
      '   +1.0 ms    10.0 ms  parser-service-0  └ POST /v1/imports',
      '  +25.3 ms     1.8 ms  parser-service-0    ├ publish calls  (1 record; 14.3 ms after its parent ended)',
      `   +1.50 s     1.00 s  parser-service-0    └ call vk  (FAILED ECONNRESET; 1.49 s after its parent ended; see trace ${'b'.repeat(32)})`,
      '   +1.50 s     1.0 ms  k                     └ late  (began 2.0 ms before its parent: clocks differ)',
    ]);
  });

  it('says which parents are missing, and why that may be', () => {
    const lines = printTrace([aSpan(2, 1), aSpan(3, 2, { failed: true })]);
    expect(lines[4]).toBe(
      '   +0.0 ms    10.0 ms  service-0  span 2  (its parent 0000000000000001 is missing)',
    );
    expect(lines[5]).toBe('   +0.0 ms    10.0 ms  service-0  └ span 3  (FAILED without a code)');
    expect(lines.slice(6)).toEqual(['', expect.stringMatching(/^1 parent missing: a caller's own span, /)]);
  });

  it('says what is in a circle', () => {
    const lines = printTrace([aSpan(1), aSpan(2, 2)]);
    expect(lines[5]).toContain('span 2  (in a circle with its parent 0000000000000002)');
    expect(lines.at(-1)).toBe('1 span in a circle: whoever sent them named wrong parents.');
  });

  it('stops after a thousand lines', () => {
    const lines = printTrace(Array.from({ length: 1_003 }, (_, n) => aSpan(n + 1)));
    expect(lines).toHaveLength(4 + 1_000 + 1);
    expect(lines.at(-1)).toBe('... and 3 more');
  });

  it('is summed up in one line', () => {
    expect(summarize([aSpan(2, 1), aSpan(1, undefined, { endMs: 1_500, failed: true })])).toBe(
      `${TRACE}  1970-01-01T00:00:01.000Z    500.0 ms  2 spans, 1 failed  span 1`,
    );
    expect(summarize([aSpan(1)])).toBe(`${TRACE}  1970-01-01T00:00:01.000Z     10.0 ms  1 span  span 1`);
  });

  it.each([
    [0, '0.0 ms'],
    [999.9, '999.9 ms'],
    [1_000, '1.00 s'],
    [99_990, '99.99 s'],
    [100_000, '100 s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
