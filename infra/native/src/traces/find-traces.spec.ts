import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace } from '../commands/trace';
import { aSpan, TRACE } from '../../test/a-span';
import { findTraces, isTraceQuery } from './find-traces';
import { SpanRing } from './span-ring';

const OTHER = 'b'.repeat(32);
const LATER = 'c'.repeat(32);

describe('finding traces', () => {
  let dir: string;
  let folder: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'traces-'));
    folder = join(dir, 'traces');
    new SpanRing(folder).add([
      aSpan(3, undefined, {
        traceId: LATER,
        startMs: 5_000,
        endMs: 5_001,
        attributes: { 'sociograph.import.id': 'imp' },
      }),
      aSpan(1, undefined, {
        attributes: { 'sociograph.correlation.id': 'mine', 'sociograph.import.id': 'imp' },
      }),
      aSpan(2, 1, {
        attributes: { note: 'mine-too', 'sociograph.call.id': 'call-1', 'sociograph.lease.id': 'lease-1' },
      }),
      aSpan(9, undefined, { traceId: OTHER, attributes: { 'sociograph.correlation.id': 'f'.repeat(32) } }),
    ]);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it.each([
    ['a trace id', TRACE, [TRACE]],
    ['one in capital letters', TRACE.toUpperCase(), [TRACE]],
    ['a traceparent', `00-${TRACE}-${'1'.repeat(16)}-01`, [TRACE]],
    ['a correlation id', 'mine', [TRACE]],
    ['a correlation id that looks like a trace id', 'f'.repeat(32), [OTHER]],
    ['a call', 'call-1', [TRACE]],
    ['a lease', 'lease-1', [TRACE]],
    ['an import, the earliest first', 'imp', [TRACE, LATER]],
    ['another attribute', 'mine-too', []],
    ['a part of an id', 'min', []],
    ['an id that nobody has', 'd'.repeat(32), []],
  ])('finds by %s', (_what, id, traces) => {
    expect([...findTraces(folder, id).keys()]).toEqual(traces);
  });

  it('gives whole traces', () => {
    expect(
      findTraces(folder, 'mine')
        .get(TRACE)
        ?.map(({ name }) => name),
    ).toEqual(['span 1', 'span 2']);
  });

  it.each([
    ['a', true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['', false],
    ['a b', false],
    ['../x', false],
  ])('may be asked for %j: %p', (text, may) => {
    expect(isTraceQuery(text)).toBe(may);
  });

  describe('npm run trace', () => {
    const stack = (): { dir: string; name: string } => ({ dir, name: 'mine' });
    const said = (id: string | undefined): string[] => {
      const lines: string[] = [];
      trace(stack(), id, (line) => lines.push(line));
      return lines;
    };

    it('prints the first trace and lists the others', () => {
      const lines = said('imp');
      expect(lines[0]).toBe(`trace ${TRACE}`);
      expect(lines.slice(-3)).toEqual([
        '',
        '1 more of the same id:',
        `${LATER}  1970-01-01T00:00:05.000Z      1.0 ms  1 span  span 3`,
      ]);
      expect(said('call-1')).toHaveLength(6);
    });

    it('lists twenty others at most', () => {
      const ids = Array.from({ length: 22 }, (_, n) => (n + 1).toString(16).padStart(32, '0'));
      new SpanRing(folder).add(
        ids.map((traceId, n) =>
          aSpan(n + 1, undefined, { traceId, attributes: { 'sociograph.import.id': 'big' } }),
        ),
      );
      const lines = said('big');
      expect(lines).toContain('21 more of the same id:');
      expect(lines.at(-1)).toBe('... and 1 later');
    });

    it.each([
      [undefined, /^Give an id: of a trace/],
      ['a b', /^"a b" is no id of a trace or of a request\.$/],
      ['unknown', /^No span of "unknown" is kept in stack mine\. /],
    ])('says what is wrong with %p', (id, sentence) => {
      expect(() => said(id)).toThrow(sentence);
    });

    it('says that a stack has no traces', () => {
      rmSync(folder, { recursive: true });
      expect(() => said(TRACE)).toThrow(/^Stack mine keeps no traces: /);
    });
  });
});
