import { vertexKey, VIEWS } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type { Fresh, FreshAnswers } from './fresh-answers';
import { graphKey } from './graph-view';
import type { LiveViews } from './live-views';
import { ViewStore } from './ports';
import type { ProfileRow, RankingRow, SummaryRow } from './ports';
import { namedGroups, type Profile } from './profile';
import type { Ranked, RankedBy } from './rankings';

/** A page of a ranking; `total` is how many people it has. */
export interface RankingPage {
  people: { rank: number; figures: Ranked; row: ProfileRow | undefined }[];
  total: number;
}

/** Reads rows of the views; where a row names others, those are read with it, in one request for each kind. */
export class ReadViews {
  constructor(
    private readonly store: ViewStore,
    private readonly answers: FreshAnswers,
  ) {}

  async summary(workspaceId: string, network: string, minPosition?: string): Promise<Fresh<SummaryRow>> {
    const key = graphKey(workspaceId, network);
    const load = (): Promise<SummaryRow | undefined> => this.store.summary(key);
    const live = (views: LiveViews): SummaryRow | undefined => views.summary(workspaceId, network);
    return known(await this.answers.answer(VIEWS.summary, key, 'summary', minPosition, load, live));
  }

  async profile(
    workspaceId: string,
    network: string,
    id: string,
    minPosition?: string,
  ): Promise<Fresh<Profile>> {
    const graph = graphKey(workspaceId, network);
    const load = async (): Promise<Profile | undefined> => {
      const row = await this.store.profile(vertexKey(workspaceId, network, id));
      return row === undefined ? undefined : this.withNamed(row);
    };
    const live = (views: LiveViews): Profile | undefined => views.profile(workspaceId, network, id);
    const entry = `profile:${id}`;
    const answer = await this.answers.answer(VIEWS.profile, graph, entry, minPosition, load, live);
    if (answer !== undefined) return answer;
    throw new DomainError({
      code: 'VIEWS.PERSON_UNKNOWN',
      kind: 'not-found',
      message: 'Nobody of this id was imported from this network',
    });
  }

  /** `limit` places of a ranking behind the first `from`. */
  async ranking(
    workspaceId: string,
    network: string,
    by: RankedBy,
    { from, limit, minPosition }: { from: number; limit: number; minPosition?: string | undefined },
  ): Promise<Fresh<RankingPage>> {
    const graph = graphKey(workspaceId, network);
    const load = async (): Promise<RankingPage | undefined> => {
      const key = `${graph}.${by}`;
      const row = (await this.store.rowsOf('rankings', [key])).get(key);
      return row === undefined ? undefined : this.page(row, from, limit);
    };
    const entry = `ranking:${by}:${from}:${limit}`;
    return known(await this.answers.answer(VIEWS.profile, graph, entry, minPosition, load));
  }

  private async withNamed(row: ProfileRow): Promise<Profile> {
    const keyOf = (id: string): string => vertexKey(row.workspaceId, row.network, id);
    const [groups, posts] = await Promise.all([
      this.store.rowsOf('groups', namedGroups(row).map(keyOf)),
      this.store.rowsOf('posts', row.lastPosts.map(keyOf)),
    ]);
    return {
      row,
      groups: [...groups.values()],
      lastPosts: row.lastPosts.flatMap((id) => posts.get(keyOf(id)) ?? []),
    };
  }

  private async page(
    { workspaceId, network, people }: RankingRow,
    from: number,
    limit: number,
  ): Promise<RankingPage> {
    const page = people.slice(from, from + limit);
    const keyOf = (id: string): string => vertexKey(workspaceId, network, id);
    const rows = await this.store.profilesOf(page.map(([id]) => keyOf(id)));
    return {
      people: page.map((figures, at) => ({ rank: from + at + 1, figures, row: rows.get(keyOf(figures[0])) })),
      total: people.length,
    };
  }
}

function known<Row>(answer: Fresh<Row> | undefined): Fresh<Row> {
  if (answer === undefined) throw graphUnknown();
  return answer;
}

export function graphUnknown(): DomainError {
  return new DomainError({
    code: 'VIEWS.GRAPH_UNKNOWN',
    kind: 'not-found',
    message: 'Nothing of this network was imported yet',
  });
}
