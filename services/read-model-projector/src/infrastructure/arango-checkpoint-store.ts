import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { runNamed } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { checkpointBroken, type CheckpointHead } from '../projections/checkpoint';
import { CheckpointStore } from '../projections/ports';
import { VIEW_QUERIES } from './aql';
import { COLLECTIONS } from './arango-view-store';
import { guarded, removeFound, withoutConflict } from './store-requests';

export const CHECKPOINT_CHUNKS = 'projector_checkpoints';

const HEAD = 'checkpoint';
const PAGE = 1000;

const compress = promisify(gzip);
const expand = promisify(gunzip);

interface StoredChunk {
  checkpoint: string;
  /** gzip, base64. */
  data: string;
  /** SHA-256 of the text, hexadecimal. */
  digest: string;
}

interface StoredHead {
  /** JSON of the head; its digest is over this very text. */
  text: string;
  digest: string;
}

/**
 * Chunks compressed in documents of their own, the head in one document: writing that one makes a checkpoint. Every
 * document carries the digest of what it holds, so that what was changed or cut in the store is found at reading.
 */
export class ArangoCheckpointStore extends CheckpointStore {
  constructor(
    private readonly db: Database,
    private readonly names = { chunks: CHECKPOINT_CHUNKS, state: COLLECTIONS.state },
  ) {
    super();
  }

  async head(): Promise<CheckpointHead | undefined> {
    const found = await this.find<StoredHead>(this.names.state, HEAD);
    if (found === undefined) return undefined;
    if (digestOf(found.text) !== found.digest) throw checkpointBroken('its head has another digest');
    return JSON.parse(found.text) as CheckpointHead;
  }

  async *chunks(head: CheckpointHead): AsyncGenerator<string> {
    for (let number = 0; number < head.chunks; number++) {
      const found = await this.find<StoredChunk>(this.names.chunks, keyOf(head.id, number));
      if (found === undefined) throw checkpointBroken(`chunk ${number} is missing`);
      const text = (await expand(Buffer.from(found.data, 'base64'))).toString('utf8');
      if (digestOf(text) !== found.digest) throw checkpointBroken(`chunk ${number} has another digest`);
      yield text;
    }
  }

  async writeChunk(id: string, number: number, chunk: string): Promise<void> {
    const data = (await compress(chunk)).toString('base64');
    const stored: StoredChunk = { checkpoint: id, data, digest: digestOf(chunk) };
    await this.put(this.names.chunks, keyOf(id, number), stored);
  }

  async commit(head: CheckpointHead): Promise<void> {
    const text = JSON.stringify(head);
    await this.put(this.names.state, HEAD, { text, digest: digestOf(text) } satisfies StoredHead);
    const bind = { '@collection': this.names.chunks, id: head.id, limit: PAGE };
    await removeFound(this.db, this.names.chunks, () => runNamed(this.db, VIEW_QUERIES.chunksBeside, bind));
  }

  private async put(collection: string, key: string, document: object): Promise<void> {
    await withoutConflict(`write ${collection}`, () =>
      this.db.collection(collection).save({ _key: key, ...document }, { overwriteMode: 'replace' }),
    );
  }

  private async find<T>(collection: string, key: string): Promise<T | undefined> {
    const found = await guarded(`read ${collection}`, () =>
      this.db.collection(collection).document(key, { graceful: true }),
    );
    return (found as T | null) ?? undefined;
  }
}

function keyOf(id: string, number: number): string {
  return `${id}.${number}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
