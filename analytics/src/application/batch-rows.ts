import { wallOwnerOf } from '@sociograph/contracts';
import type { Suppressions } from '@sociograph/suppression';
import { TABLES, type Row, type Table } from './tables';
import type { RowsOfTable, Scope } from './warehouse';

/** People and posts of one network in one workspace that are gone. */
export interface Removal {
  scope: Scope;
  people: string[];
  posts: string[];
}

/** Rows of one batch, at most one for each key: of several the newest stays. */
export class BatchRows {
  readonly #rows = new Map<Table, Map<string, Row>>();
  readonly #removed = new Map<string, Removal>();

  add(table: Table, row: Row): void {
    const rows = this.#rows.get(table) ?? new Map<string, Row>();
    this.#rows.set(table, rows);
    const key = keyOf(table, row);
    const known = rows.get(key);
    if (known === undefined || isNewer(table, row, known)) rows.set(key, row);
  }

  /** A vertex was taken out of the graph; `key` is its record's: `workspace:network:kind:id`. */
  remove(key: string): void {
    const [workspaceId, network, kind, id] = key.split(':');
    if (workspaceId === undefined || network === undefined || id === undefined) return;
    const scope = `${workspaceId}:${network}`;
    const removal = this.#removed.get(scope) ?? { scope: { workspaceId, network }, people: [], posts: [] };
    if (kind === 'user') removal.people.push(id);
    else if (kind === 'post') removal.posts.push(id);
    else return;
    this.#removed.set(scope, removal);
  }

  get removals(): Removal[] {
    return [...this.#removed.values()];
  }

  /** The rows without what this batch itself removes, and without whom the platform has erased. */
  remaining(suppressions: Suppressions): RowsOfTable {
    const gone = (scope: Scope): ((id: string) => boolean) => {
      const removed = new Set(this.#removed.get(`${scope.workspaceId}:${scope.network}`)?.people);
      return (id) => removed.has(id) || suppressions.isSuppressed(scope.workspaceId, scope.network, id);
    };
    const remaining = new Map<Table, Row[]>();
    for (const [table, rows] of this.#rows) {
      const kept = [...rows.values()].flatMap((row) => withoutPeople(table, row, gone(scopeOf(row))));
      const left = table === TABLES.posts ? kept.filter((row) => !this.#isRemovedPost(row)) : kept;
      if (left.length > 0) remaining.set(table, left);
    }
    return remaining;
  }

  #isRemovedPost(row: Row): boolean {
    const { workspaceId, network } = scopeOf(row);
    return this.#removed.get(`${workspaceId}:${network}`)?.posts.includes(String(row['id'])) ?? false;
  }
}

/** The row without these people: nothing when it is about one of them. */
function withoutPeople(table: Table, row: Row, isGone: (id: string) => boolean): Row[] {
  const { rows, lists, posts } = table.people;
  const named = rows.map((column) => row[column]);
  if (named.some((id) => typeof id === 'string' && isGone(id))) return [];
  const changed: Record<string, Row[string]> = {};
  for (const column of lists) {
    const ids = row[column] as readonly string[];
    if (ids.some(isGone)) changed[column] = ids.filter((id) => !isGone(id));
  }
  for (const column of posts) {
    const post = row[column];
    if (typeof post === 'string' && isGone(wallOwnerOf(post) ?? '')) changed[column] = null;
  }
  return [Object.keys(changed).length === 0 ? row : { ...row, ...changed }];
}

function isNewer(table: Table, row: Row, known: Row): boolean {
  for (const column of table.newestBy) {
    const difference = Number(row[column]) - Number(known[column]);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function keyOf(table: Table, row: Row): string {
  return table.key.map((column) => String(row[column])).join('\n');
}

function scopeOf(row: Row): Scope {
  return { workspaceId: String(row['workspace_id']), network: String(row['network']) };
}
