import {
  PeopleSearch,
  type PeopleFilter,
  type PeoplePlace,
  type PersonBrief,
  type Scope,
} from '../domain/query-ports';

/** A filter that no index serves may have to look at everybody: it gets so long. */
export const SEARCH_LIMIT_MS = 3_000;

/** People by what their profiles say. */
export class FindPeople {
  constructor(private readonly search: PeopleSearch) {}

  async execute(
    scope: Scope,
    filter: PeopleFilter,
    page: { limit: number; after: PeoplePlace | undefined },
  ): Promise<{ items: PersonBrief[]; next: PeoplePlace | undefined }> {
    return this.search.find(scope, filter, { ...page, limitMs: SEARCH_LIMIT_MS });
  }
}
