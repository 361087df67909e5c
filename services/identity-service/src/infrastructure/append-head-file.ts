import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { HeadFile } from '../application/seal-audit';
import type { Head } from '../domain/audit-chain';

interface Line extends Head {
  id: number;
}

/** One line of JSON a head, only ever appended to; keep it on another disk than the database, or ship it away. */
export class AppendHeadFile extends HeadFile {
  constructor(private readonly file: string) {
    super();
  }

  override async last(): Promise<number> {
    let last = 0;
    for await (const { id } of headLines(this.file)) last = Math.max(last, id);
    return last;
  }

  override async append(heads: readonly { id: number; head: Head }[]): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true });
    const handle = await open(this.file, 'a', 0o600);
    try {
      // A line that a crash cut off must not swallow the next one.
      const text = heads.map(({ id, head }) => `${JSON.stringify({ id, ...head })}\n`).join('');
      await handle.appendFile((await endsClean(this.file)) ? text : `\n${text}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** Heads of the file; what is no head (a line cut off by a crash) is passed over: the database still has that one. */
export async function* headLines(file: string): AsyncGenerator<Line> {
  if (!existsSync(file)) return;
  for await (const text of createInterface({ input: createReadStream(file, 'utf8') })) {
    try {
      const line = JSON.parse(text) as Partial<Line>;
      if (typeof line.id === 'number' && typeof line.seq === 'number' && typeof line.mac === 'string')
        yield line as Line;
    } catch {
      continue;
    }
  }
}

async function endsClean(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size === 0) return true;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer.toString() === '\n';
  } finally {
    await handle.close();
  }
}
