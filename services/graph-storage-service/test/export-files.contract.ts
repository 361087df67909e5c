import { randomBytes } from 'node:crypto';
import type { ExportFiles } from '../src/domain/export-ports';

export interface FilesUnderTest {
  files: ExportFiles;
  /** What whoever follows the link gets; undefined where nobody hands it out. */
  follow(file: string, link: string): Promise<Buffer | undefined>;
  names(): Promise<string[]>;
}

const OPTIONS = { exportId: 'e1', name: 'vk-e1.gexf', mediaType: 'application/gexf+xml' };

/** What every store of finished exports must do. */
export function exportFilesContract(make: () => Promise<FilesUnderTest>): void {
  let stand: FilesUnderTest;
  let file: string;
  beforeEach(async () => {
    stand = await make();
    file = `w${randomBytes(6).toString('hex')}/${randomBytes(8).toString('hex')}.gexf`;
  });

  const write = (
    contents: AsyncIterable<Uint8Array>,
    signal = new AbortController().signal,
  ): Promise<number> => stand.files.write(file, contents, { mediaType: 'application/gexf+xml', signal });

  async function* parts(...all: Buffer[]): AsyncIterable<Uint8Array> {
    yield* all;
  }

  it('keeps what is streamed to it, also more than a part, and hands it out by a link', async () => {
    const large = randomBytes(9 * 1024 * 1024);
    expect(await write(parts(Buffer.from('head'), large))).toBe(large.length + 4);
    expect(await stand.names()).toContain(file);
    const got = await stand.follow(file, await stand.files.link(file, { ...OPTIONS, now: Date.now() }));
    expect(got?.equals(Buffer.concat([Buffer.from('head'), large]))).toBe(true);
  });

  it('keeps an empty file', async () => {
    expect(await write(parts())).toBe(0);
    expect(await stand.names()).toContain(file);
  });

  it('leaves nothing of what fails or is aborted in the middle', async () => {
    const broken = (async function* () {
      yield randomBytes(6 * 1024 * 1024);
      throw new Error('the graph is away');
    })();
    await expect(write(broken)).rejects.toThrow('the graph is away');
    const abort = new AbortController();
    const endless = (async function* () {
      for (let n = 0; ; n++) {
        if (n === 3) abort.abort(new Error('stop'));
        yield randomBytes(4 * 1024 * 1024);
      }
    })();
    await expect(write(endless, abort.signal)).rejects.toThrow('stop');
    expect((await stand.names()).filter((name) => name.startsWith(file))).toEqual([]);
  });

  it('removes a file, and one that is not there', async () => {
    await write(parts(Buffer.from('x')));
    await stand.files.remove(file);
    expect(await stand.names()).not.toContain(file);
    await stand.files.remove(file);
  });
}
