import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { EdgeLineParser, LineFault } from './edge-line-parser';
import { GraphFileError } from './graph-file-error';
import { buildNormalGraph } from './normal-graph';
import type { NormalGraph } from './normal-graph';

export interface ReadGraphOptions {
  /** Added to every id instead of the computed shift; the result must be above 0 for every id. */
  idShift?: number;
}

/**
 * Reads an edge list into its normal form. A line is two whole numbers with blanks, a tab or a comma between
 * them; empty lines and lines that begin with # or % are skipped; LF and CRLF; gzip is told by its first bytes,
 * not by the name. Pairs are undirected: repeats (also reversed) and self-loops are dropped, a person named only
 * in a self-loop stays. When the smallest id is 0 or less, all ids are shifted by 1 minus that id.
 * Throws GraphFileError. Memory is about 16 bytes per line and 100 per person while reading.
 */
export async function readGraphFile(path: string, options: ReadGraphOptions = {}): Promise<NormalGraph> {
  const positions = new Map<number, number>();
  const people: number[] = [];
  let ends = new Uint32Array(1 << 16);
  let used = 0;
  const positionOf = (id: number): number => {
    const known = positions.get(id);
    if (known !== undefined) return known;
    positions.set(id, people.length);
    return people.push(id) - 1;
  };
  const parser = new EdgeLineParser((a, b) => {
    if (used === ends.length) {
      const larger = new Uint32Array(ends.length * 2);
      larger.set(ends);
      ends = larger;
    }
    ends[used++] = positionOf(a);
    ends[used++] = positionOf(b);
  });

  await feed(path, parser);
  if (people.length === 0) throw new GraphFileError(`The graph file ${path} holds no friendships.`);
  const shift = shiftFor(path, people, options.idShift);
  return buildNormalGraph(people, ends, used, shift);
}

async function feed(path: string, parser: EdgeLineParser): Promise<void> {
  try {
    const zipped = await beginsWithGzipMagic(path);
    const file = createReadStream(path, { highWaterMark: 1 << 18 });
    const bytes = zipped ? file.pipe(createGunzip({ chunkSize: 1 << 18 })) : file;
    if (zipped) file.on('error', (error) => bytes.destroy(error));
    for await (const chunk of bytes) parser.push(chunk as Buffer);
    parser.end();
  } catch (error) {
    if (error instanceof LineFault) {
      throw new GraphFileError(
        `The graph file ${path} cannot be read: line ${error.line} is ${error.reason}.`,
        error.line,
      );
    }
    throw new GraphFileError(`The graph file ${path} cannot be read: ${reasonOf(error)}.`, undefined, error);
  }
}

async function beginsWithGzipMagic(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    const { bytesRead } = await file.read(magic, 0, 2, 0);
    return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function shiftFor(path: string, people: number[], given: number | undefined): number {
  let smallest = Number.MAX_SAFE_INTEGER;
  let largest = -Number.MAX_SAFE_INTEGER;
  for (const id of people) {
    if (id < smallest) smallest = id;
    if (id > largest) largest = id;
  }
  const shift = given ?? (smallest <= 0 ? 1 - smallest : 0);
  if (smallest + shift <= 0) {
    throw new GraphFileError(
      `The graph file ${path} holds the id ${smallest}, which a shift of ${shift} leaves below 1.`,
    );
  }
  if (largest + shift > Number.MAX_SAFE_INTEGER) {
    throw new GraphFileError(
      `The graph file ${path} holds ids that are too far apart: from ${smallest} to ${largest}.`,
    );
  }
  return shift;
}

const REASONS: Record<string, string> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission is denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  Z_BUF_ERROR: 'its gzip data ends too early',
  Z_DATA_ERROR: 'its gzip data is damaged',
};

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return (
    (typeof code === 'string' ? REASONS[code] : undefined) ??
    (error instanceof Error ? error.message : String(error))
  );
}
