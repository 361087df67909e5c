import { TOPICS } from '@sociograph/contracts';
import { type Clock, type Ids, isDomainError } from '@sociograph/kernel';
import { AppliedPositions } from './applied-positions';
import { checkpointBroken, type CheckpointHead, chunksOf, FORMAT, restoreChunks } from './checkpoint';
import type { CheckpointStore } from './ports';
import type { ProjectorSnapshot, ProjectorState } from './projector';
import { Views } from './views';

/**
 * Tombstones stay in a compacted topic for a day at least (`delete.retention.ms`): a checkpoint that is older could
 * hold a person whose erasure is no longer in the log.
 */
export const MAX_AGE_MS = 12 * 3_600_000;

export interface Resumed extends ProjectorState {
  /** Next offset of graph.changes by partition. */
  from: ReadonlyMap<number, number>;
  /** Since it was written, wall clock. */
  ageMs: number;
}

/** Writes the state down together with how far it is, and begins with that instead of with the whole log. */
export class Checkpoints {
  constructor(
    private readonly store: CheckpointStore,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Keeps a snapshot; it counts from the moment in which its head is written. */
  async save({ graphs, hashes, reached }: ProjectorSnapshot): Promise<CheckpointHead> {
    const id = this.ids.next();
    let chunks = 0;
    for (const chunk of chunksOf(graphs)) {
      await this.store.writeChunk(id, chunks, chunk);
      chunks += 1;
    }
    const head = { id, format: FORMAT, chunks, hashes, reached, at: this.clock.nowMs() };
    await this.store.commit(head);
    return head;
  }

  /**
   * The state of the newest checkpoint for a writer of this fence; undefined when there is none that may be used.
   * Throws VIEWS.CHECKPOINT_BROKEN when what is read is not what was written.
   */
  async load(fence: number): Promise<Resumed | undefined> {
    const head = await this.store.head();
    if (head === undefined || head.format !== FORMAT) return undefined;
    const ageMs = this.clock.nowMs() - head.at;
    if (ageMs > MAX_AGE_MS) return undefined;
    const views = new Views(fence);
    try {
      await restoreChunks(views, this.store.chunks(head));
    } catch (error) {
      if (isDomainError(error) && error.kind === 'unavailable') throw error;
      throw checkpointBroken('its chunks cannot be read', error);
    }
    if (views.hashes().join() !== head.hashes.join())
      throw checkpointBroken('its state has another hash than when it was written');
    const positions = new AppliedPositions();
    const from = new Map<number, number>();
    for (const { partition, positions: reached } of head.reached) {
      positions.resume(partition, reached);
      from.set(partition, reached[TOPICS.graphChanges.name]?.[String(partition)] ?? 0);
    }
    return { views, positions, from, ageMs };
  }
}
