import { vertexKey } from '@sociograph/contracts';
import type { GraphView } from './graph-view';
import type { Difference } from './jobs';
import type { GroupRow, PostRow, RowsBeside, SearchRow } from './ports';
import { RANKED_BY } from './rankings';
import type { RecountPorts } from './recount-graph';
import { personSearchRow, postSearchRow, searchKey } from './rows-beside';

/** What long posts are found by has tens of kilobytes a row, and is made anew for the comparison. */
const ROWS_PER_READ = 250;
/** Rows that differ are looked at a second time while nothing is written: so many, the rest need not be counted. */
const MOST_SUSPECTS = 1000;
const SAMPLE = 10;

/** A row that the store should have. */
interface Expected<Row> {
  id: string;
  key: string;
  /** As the memory has it now; undefined when it is gone since. */
  fresh: () => Row | undefined;
  /** Whether it waits to be written, and then differs rightly. */
  waits: () => boolean;
  rewrite: () => void;
}

/** Rows of groups and posts, and what posts are found by, that are not as the memory has them; they are written again. */
export async function contentDifferences(view: GraphView, ports: RecountPorts): Promise<Difference[]> {
  const { contents } = view;
  const expected = <Row>(kind: 'group' | 'post', fresh: (name: string) => Row | undefined): Expected<Row>[] =>
    contents.names().flatMap((name) => {
      const id = name.slice(kind.length + 1);
      if (!name.startsWith(`${kind}:`) || contents.row(name, 0, 0) === undefined) return [];
      return {
        id,
        key: vertexKey(view.workspaceId, view.network, id),
        fresh: () => fresh(name),
        waits: () => contents.isTouched(name),
        rewrite: () => ports.projector.rewrite(view, [], [name]),
      };
    });
  const groups = expected('group', (name) => contents.row(name, 0, 0) as GroupRow | undefined);
  const posts = expected('post', (name) => contents.row(name, 0, 0) as PostRow | undefined);
  const found = posts.map(({ fresh, ...post }): Expected<SearchRow> => {
    const row = (): SearchRow | undefined => {
      const content = fresh();
      return content === undefined ? undefined : postSearchRow(view, content);
    };
    return { ...post, key: searchKey(view, 'post', post.id), fresh: row };
  });
  return [
    ...(await compared('groups', groups, 'rows of groups', ports)),
    ...(await compared('posts', posts, 'rows of posts', ports)),
    ...(await compared('search', found, 'words of posts', ports)),
  ];
}

/** What people are found by. */
export async function foundDifferences(view: GraphView, ports: RecountPorts): Promise<Difference[]> {
  const expected = view.people().map((person): Expected<SearchRow> => {
    const id = view.graph.nameOf(person);
    return {
      id,
      key: searchKey(view, 'user', id),
      fresh: () => {
        const row = personSearchRow(view, person, 0, 0);
        return typeof row === 'string' ? undefined : row;
      },
      waits: () => view.isFoundTouched(person),
      rewrite: () => ports.projector.rewrite(view, [person]),
    };
  });
  return compared('search', expected, 'words of people', ports);
}

export async function rankingDifferences(view: GraphView, ports: RecountPorts): Promise<Difference[]> {
  return ports.projector.between(async () => {
    const keys = RANKED_BY.map((by) => view.rankingRow(by, 0, 0).key);
    const rows = await ports.store.rowsOf('rankings', keys);
    ports.goOn();
    // What waits to be written differs rightly.
    if (view.hasTouched) return [];
    const differing = RANKED_BY.filter((by) => {
      const fresh = view.rankingRow(by, 0, 0);
      return textOf(rows.get(fresh.key)) !== textOf(fresh);
    });
    if (differing.length === 0) return [];
    view.forgetRankings();
    ports.projector.rewrite(view, []);
    return [{ what: 'rankings', kept: differing.join(), counted: 'other people' }];
  });
}

/** Compares page by page, the rows that differ once more while nothing is being written. */
async function compared<K extends keyof RowsBeside>(
  kind: K,
  expected: readonly Expected<RowsBeside[K]>[],
  what: string,
  { store, projector, goOn }: RecountPorts,
): Promise<Difference[]> {
  const differing = async (
    wanted: readonly Expected<RowsBeside[K]>[],
  ): Promise<Expected<RowsBeside[K]>[]> => {
    const found: Expected<RowsBeside[K]>[] = [];
    for (let from = 0; from < wanted.length; from += ROWS_PER_READ) {
      const page = wanted.slice(from, from + ROWS_PER_READ);
      const rows = await store.rowsOf(
        kind,
        page.map(({ key }) => key),
      );
      goOn();
      for (const each of page) {
        const row = each.fresh();
        if (row !== undefined && textOf(rows.get(each.key)) !== textOf(row)) found.push(each);
      }
    }
    return found;
  };
  const suspects = await differing(expected);
  if (suspects.length === 0) return [];
  return projector.between(async () => {
    const found = (await differing(suspects.slice(0, MOST_SUSPECTS))).filter(({ waits }) => !waits());
    for (const { rewrite } of found) rewrite();
    const ids = found.slice(0, SAMPLE).map(({ id }) => id);
    return found.length === 0 ? [] : [{ what, kept: found.length, counted: 0, ids }];
  });
}

/** What a row says, whatever the order of fields, who wrote it and when. */
function textOf(row: object | undefined): string {
  return JSON.stringify(row, (name, value: unknown) => {
    if (name === 'writer' || name === 'writtenAt') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
