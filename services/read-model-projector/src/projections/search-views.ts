import { vertexKey, VIEWS } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type { Fresh, FreshAnswers } from './fresh-answers';
import { graphKey } from './graph-view';
import { ViewStore } from './ports';
import type { PostRow, ProfileRow, SearchRow } from './ports';
import { graphUnknown } from './read-views';
import { highlighted, type Piece, snippet, wantedOf } from './search-text';

/** Words of one search that count; a search of more is refused. */
export const MOST_WORDS = 8;

export interface SearchAsked {
  kind: SearchRow['kind'];
  /** What the reader typed. */
  query: string;
  limit: number;
  after?: { at: number; key: string } | undefined;
  minPosition?: string | undefined;
}

export type Found =
  | { kind: 'user'; row: ProfileRow; name: Piece[]; screenName: Piece[] | undefined }
  | { kind: 'post'; row: PostRow; text: Piece[] };

export interface FoundPage {
  items: Found[];
  /** Where the next page begins; undefined on the last one. */
  next: { at: number; key: string } | undefined;
}

/**
 * Finds people by beginnings of their names, and posts by beginnings of their words: every word of the query must begin a
 * word of what is found. People come in the order of their ids as texts, posts newest first. Not cached: few people ask
 * for the same, and the graph is forgotten with every change.
 */
export class SearchViews {
  constructor(
    private readonly store: ViewStore,
    private readonly answers: FreshAnswers,
  ) {}

  async search(workspaceId: string, network: string, asked: SearchAsked): Promise<Fresh<FoundPage>> {
    const graph = graphKey(workspaceId, network);
    const wanted = wantedOf(graph, asked.query);
    if (wanted === undefined) throw refused('must have a letter or a digit');
    if (wanted.parts.length > MOST_WORDS) throw refused(`must have at most ${MOST_WORDS} words`);
    return this.answers.uncached(VIEWS.profile, asked.minPosition, async () => {
      const { kind, limit, after, query } = asked;
      // One more than asked for tells whether there is a next page.
      const keys = await this.store.search({ graph, kind, ...wanted, after, limit: limit + 1 });
      if (keys.length === 0 && (await this.store.summary(graph)) === undefined) throw graphUnknown();
      const page = keys.slice(0, limit);
      const last = keys.length > limit ? page.at(-1) : undefined;
      return {
        items: await this.read(workspaceId, network, kind, page, query),
        next: last === undefined ? undefined : { at: last.at, key: last.key },
      };
    });
  }

  /** Somebody who is gone since the index was asked is left out. */
  private async read(
    workspaceId: string,
    network: string,
    kind: SearchRow['kind'],
    page: readonly { id: string }[],
    query: string,
  ): Promise<Found[]> {
    const keys = page.map(({ id }) => vertexKey(workspaceId, network, id));
    if (kind === 'post') {
      const posts = await this.store.rowsOf('posts', keys);
      return keys.flatMap((key): Found[] => {
        const row = posts.get(key);
        return row === undefined ? [] : [{ kind, row, text: snippet(row.content.text, query) }];
      });
    }
    const people = await this.store.profilesOf(keys);
    return keys.flatMap((key): Found[] => {
      const row = people.get(key);
      if (row === undefined) return [];
      const { firstName, lastName, screenName } = row.profile;
      const name = highlighted(`${firstName} ${lastName}`, query);
      const screen = screenName === undefined ? undefined : highlighted(screenName, query);
      return [{ kind, row, name, screenName: screen }];
    });
  }
}

function refused(message: string): DomainError {
  return new DomainError({
    code: 'VIEWS.SEARCH_MALFORMED',
    kind: 'invalid-input',
    message: 'This cannot be searched for',
    fields: [{ field: 'q', message }],
  });
}
