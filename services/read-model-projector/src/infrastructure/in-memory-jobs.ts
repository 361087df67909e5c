import { DomainError } from '@sociograph/kernel';
import type { CheckpointHead } from '../projections/checkpoint';
import { isOpen, type Job } from '../projections/jobs';
import { CheckpointStore, JobStore } from '../projections/ports';

/** Jobs in a map. */
export class InMemoryJobStore extends JobStore {
  readonly jobs = new Map<string, Job>();

  async create(job: Job): Promise<void> {
    if (!this.jobs.has(job.id)) this.jobs.set(job.id, structuredClone(job));
  }

  async find(id: string): Promise<Job | undefined> {
    return structuredClone(this.jobs.get(id));
  }

  async put(job: Job): Promise<void> {
    this.jobs.set(job.id, structuredClone(job));
  }

  async open(): Promise<Job[]> {
    const open = [...this.jobs.values()].filter(isOpen);
    return structuredClone(open.sort((a, b) => a.requestedAt - b.requestedAt));
  }

  async removeRequestedBefore(ms: number): Promise<void> {
    for (const [id, { requestedAt }] of this.jobs) if (requestedAt < ms) this.jobs.delete(id);
  }
}

/** Chunks and the head in maps. `failures` is how many of the next writes fail as an unreachable store would. */
export class InMemoryCheckpointStore extends CheckpointStore {
  readonly kept = new Map<string, string>();
  newest: CheckpointHead | undefined;
  failures = 0;

  async head(): Promise<CheckpointHead | undefined> {
    return this.newest;
  }

  async *chunks(head: CheckpointHead): AsyncGenerator<string> {
    for (let number = 0; number < head.chunks; number++) {
      const chunk = this.kept.get(`${head.id}.${number}`);
      if (chunk === undefined) throw new Error(`chunk ${number} is missing`);
      yield chunk;
    }
  }

  async writeChunk(id: string, number: number, chunk: string): Promise<void> {
    if (this.failures > 0) {
      this.failures--;
      throw new DomainError({
        code: 'VIEWS.STORE_AWAY',
        kind: 'unavailable',
        message: 'The store cannot be reached',
      });
    }
    this.kept.set(`${id}.${number}`, chunk);
  }

  async commit(head: CheckpointHead): Promise<void> {
    this.newest = structuredClone(head);
    for (const key of this.kept.keys()) if (!key.startsWith(`${head.id}.`)) this.kept.delete(key);
  }
}
