import { runNamed } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { isOpen, type Job } from '../projections/jobs';
import { JobStore } from '../projections/ports';
import { VIEW_QUERIES } from './aql';
import { guarded, removeFound, withoutConflict } from './store-requests';

export const JOBS = 'projector_jobs';

const PAGE = 1000;

interface StoredJob {
  open: boolean;
  requestedAt: number;
  job: Job;
}

/** One document a job. */
export class ArangoJobStore extends JobStore {
  constructor(
    private readonly db: Database,
    private readonly collection = JOBS,
  ) {
    super();
  }

  create(job: Job): Promise<void> {
    return this.save(job, 'ignore');
  }

  put(job: Job): Promise<void> {
    return this.save(job, 'replace');
  }

  async find(id: string): Promise<Job | undefined> {
    const found = (await guarded('read a job', () =>
      this.db.collection(this.collection).document(id, { graceful: true }),
    )) as StoredJob | null;
    return found?.job;
  }

  async open(): Promise<Job[]> {
    const bind = { '@collection': this.collection, limit: PAGE };
    return runNamed<Job>(this.db, VIEW_QUERIES.openJobs, bind);
  }

  async removeRequestedBefore(ms: number): Promise<void> {
    const bind = { '@collection': this.collection, before: ms, limit: PAGE };
    await removeFound(this.db, this.collection, () => runNamed(this.db, VIEW_QUERIES.jobsBefore, bind));
  }

  private async save(job: Job, overwriteMode: 'ignore' | 'replace'): Promise<void> {
    const stored: StoredJob = { open: isOpen(job), requestedAt: job.requestedAt, job };
    await withoutConflict('write a job', () =>
      this.db.collection(this.collection).save({ _key: job.id, ...stored }, { overwriteMode }),
    );
  }
}
