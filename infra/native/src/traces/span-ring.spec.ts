import { appendFileSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aSpan } from '../../test/a-span';
import { readSpans, SpanRing } from './span-ring';

const everything = (): boolean => true;

describe('the ring of spans', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ring-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const names = (): string[] => [...readSpans(folder, everything)].map(({ name }) => name);
  const files = (): string[] => readdirSync(folder).sort();
  /** So small that each span closes its file. */
  const small = { fileBytes: 1, files: 3 };

  it('gives back what was put in, in order', () => {
    const ring = new SpanRing(join(folder, 'new'));
    const spans = [aSpan(1), aSpan(2, 1, { links: [{ traceId: 't', spanId: 's' }] })];
    ring.add([]);
    ring.add(spans);
    expect([...readSpans(join(folder, 'new'), everything)]).toEqual(spans);
    expect([...readSpans(join(folder, 'new'), (line) => line.includes('span 2'))]).toEqual(spans.slice(1));
  });

  it('keeps so many files, the newest', () => {
    const ring = new SpanRing(folder, small);
    for (let n = 1; n <= 5; n += 1) ring.add([aSpan(n)]);
    expect(files()).toEqual(['spans-00000003.jsonl', 'spans-00000004.jsonl', 'spans-00000005.jsonl']);
    expect(names()).toEqual(['span 3', 'span 4', 'span 5']);
  });

  it('closes a file when it has reached its size', () => {
    const bytes = Buffer.byteLength(`${JSON.stringify(aSpan(1))}\n`);
    const ring = new SpanRing(folder, { fileBytes: 2 * bytes });
    for (let n = 1; n <= 2; n += 1) ring.add([aSpan(n)]);
    expect(files()).toHaveLength(1);
    ring.add([aSpan(3)]);
    expect(files()).toHaveLength(2);
  });

  it('goes on where the process before it was', () => {
    new SpanRing(folder, small).add([aSpan(1)]);
    const next = new SpanRing(folder, small);
    next.add([aSpan(2)]);
    expect(files()).toEqual(['spans-00000001.jsonl', 'spans-00000002.jsonl']);
    new SpanRing(folder).add([aSpan(3)]);
    expect(files()).toHaveLength(2);
    expect(names()).toEqual(['span 1', 'span 2', 'span 3']);
  });

  it('drops what is too old, when it starts and when it turns', () => {
    const old = (name: string): void => utimesSync(join(folder, name), 1, 1);
    writeFileSync(join(folder, 'spans-00000001.jsonl'), `${JSON.stringify(aSpan(1))}\n`);
    writeFileSync(join(folder, 'spans-00000002.jsonl'), `${JSON.stringify(aSpan(2))}\n`);
    old('spans-00000001.jsonl');
    const ring = new SpanRing(folder, { fileBytes: 1, ageMs: 60_000 });
    expect(names()).toEqual(['span 2']);
    old('spans-00000002.jsonl');
    ring.add([aSpan(3)]);
    expect(names()).toEqual(['span 3']);
  });

  it('keeps what is exactly as old as may be', () => {
    writeFileSync(join(folder, 'spans-00000001.jsonl'), `${JSON.stringify(aSpan(1))}\n`);
    writeFileSync(join(folder, 'spans-00000002.jsonl'), '');
    utimesSync(join(folder, 'spans-00000001.jsonl'), 100, 100);
    new SpanRing(folder, { ageMs: 5_000 }, () => 105_000);
    expect(names()).toEqual(['span 1']);
    new SpanRing(folder, { ageMs: 5_000 }, () => 105_001);
    expect(names()).toEqual([]);
  });

  it('is read past a line that is half written, and past other files', () => {
    new SpanRing(folder).add([aSpan(1)]);
    appendFileSync(join(folder, 'spans-00000001.jsonl'), '{"traceId":"a');
    writeFileSync(join(folder, 'notes.txt'), 'x');
    expect(names()).toEqual(['span 1']);
  });

  it('is empty where there is no folder', () => {
    expect([...readSpans(join(folder, 'none'), everything)]).toEqual([]);
  });
});
