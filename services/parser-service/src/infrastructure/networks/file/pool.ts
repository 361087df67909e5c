import { Secret } from '@sociograph/kernel';
import type { Postgres } from '@sociograph/postgres';
import { z } from 'zod';
import {
  KeyPool,
  type Lease,
  type LeaseRequest,
  type LeaseVerdict,
  type NetworkRequest,
  type SendOutcome,
} from '../../../domain/ports';
import { FILE_CALLS_PER_SECOND, PEOPLE_PER_PAGE } from './client';

interface FileLease extends Lease {
  readonly workspaceId: string;
  /** When the import began: what its files said then. A call that is repeated sees the same at the same moment. */
  readonly observedAt: number;
}

const asked = z.object({
  files: z.object({ friendships: z.string().optional(), people: z.string().optional() }),
  people: z.array(z.string()),
  after: z.string(),
});

const NO_TOKEN = new Secret('none');

/**
 * What stands in for keys where a network is a file: every call is granted at once and answered from the stored rows,
 * in the transaction of nobody. Nothing is asked of key-service.
 */
export class FilePool extends KeyPool {
  private granted = 0;

  constructor(private readonly worker: Postgres) {
    super();
  }

  async acquire({ workspaceId, importId }: LeaseRequest): Promise<LeaseVerdict> {
    const { rows } = await this.worker.query<{ created_at: Date }>(
      'SELECT created_at FROM imports WHERE id = $1',
      [importId],
    );
    const observedAt = rows[0]?.created_at.getTime() ?? 0;
    this.granted += 1;
    const lease: FileLease = {
      ...{ leaseId: `file-${this.granted}`, keyId: 'file', fence: 0 },
      ...{ workspaceId, observedAt },
    };
    return { kind: 'granted', lease };
  }

  async send(lease: Lease, authorize: (token: Secret) => NetworkRequest): Promise<SendOutcome> {
    const { workspaceId, observedAt } = lease as FileLease;
    const { path, body } = authorize(NO_TOKEN);
    const { files, people, after } = asked.parse(JSON.parse(body));
    const ids = [files.friendships, files.people].filter((id) => id !== undefined);
    const { rows } = await this.worker.query<{ there: number }>(
      'SELECT count(*) AS there FROM uploads WHERE id = ANY ($1) AND workspace_id = $2 AND NOT removed',
      [ids, workspaceId],
    );
    const answered = (status: number, answer: unknown): SendOutcome => ({
      ...{ kind: 'answered', observedAt, status, body: JSON.stringify(answer) },
    });
    if (rows[0]?.there !== ids.length) return answered(410, {});
    switch (path) {
      case '/names':
        return answered(200, await this.everybody(ids, after));
      case '/profiles':
        return answered(200, { found: await this.profiles(ids, people) });
      case '/lists':
        return answered(200, { found: await this.lists(ids, people) });
      default:
        return answered(404, {});
    }
  }

  async settle(): Promise<void> {
    // No key was used.
  }

  async callsPerSecond(): Promise<number> {
    return FILE_CALLS_PER_SECOND;
  }

  private async everybody(ids: string[], after: string): Promise<{ people: string[]; next: string | null }> {
    const { rows } = await this.worker.query<{ person: string }>(
      `SELECT person FROM unnest($1::uuid[]) AS file (id) CROSS JOIN LATERAL (
         SELECT person FROM uploaded_people WHERE upload_id = file.id AND person > $2 ORDER BY person LIMIT $3) AS named
       GROUP BY person ORDER BY person LIMIT $3`,
      [ids, after, PEOPLE_PER_PAGE],
    );
    const people = rows.map(({ person }) => person);
    return { people, next: people.length < PEOPLE_PER_PAGE ? null : (people.at(-1) ?? null) };
  }

  /** Of somebody whom only the friendships name: that there is such a person. */
  private async profiles(ids: string[], people: string[]): Promise<[string, unknown][]> {
    const { rows } = await this.worker.query<{ person: string; profile: unknown }>(
      `SELECT person, (array_agg(profile) FILTER (WHERE profile IS NOT NULL))[1] AS profile
       FROM uploaded_people WHERE upload_id = ANY ($1) AND person = ANY ($2) GROUP BY person ORDER BY person`,
      [ids, people],
    );
    return rows.map(({ person, profile }) => [person, profile ?? {}]);
  }

  /** Of somebody whom only the file of people names: no friends. */
  private async lists(ids: string[], people: string[]): Promise<[string, string][]> {
    const { rows } = await this.worker.query<{ person: string; friends: string | null }>(
      `SELECT person, max(friends) AS friends
       FROM uploaded_people WHERE upload_id = ANY ($1) AND person = ANY ($2) GROUP BY person ORDER BY person`,
      [ids, people],
    );
    return rows.map(({ person, friends }) => [person, friends ?? '']);
  }
}
