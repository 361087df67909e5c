import { graphStatistics, type GraphStatistics, type NormalGraph } from '@sociograph/graph-file';

export interface Erasable {
  /** As the network knows them. */
  readonly id: number;
  /** The friendships that are left without them, two ids a line. */
  readonly lines: string;
}

/**
 * Somebody whom the graph can do without: nobody is cut off when they are gone, so that an import still finds everybody else.
 * The one with fewest friends of those, but at least two; undefined where there is none among the first hundred looked at.
 */
export function erasable(
  graph: NormalGraph,
  statistics: Pick<GraphStatistics, 'users' | 'components'>,
  whole: (lines: string) => Promise<NormalGraph>,
  spared: ReadonlySet<number>,
): Promise<Erasable | undefined> {
  const candidates = Array.from(graph.ids, (id, index) => ({ id, degree: graph.degree(index) }))
    .filter(({ id, degree }) => degree >= 2 && !spared.has(id))
    .sort((a, b) => a.degree - b.degree || a.id - b.id)
    .slice(0, 100);
  return first(candidates, async ({ id }) => {
    const lines = [...graph.friendships]
      .filter((pair) => !pair.includes(id))
      .map((pair) => pair.join(' '))
      .join('\n');
    const rest = graphStatistics(await whole(`${lines}\n`));
    const kept = rest.users === statistics.users - 1 && rest.components === statistics.components;
    return kept ? { id, lines: `${lines}\n` } : undefined;
  });
}

async function first<T, R>(
  items: readonly T[],
  of: (item: T) => Promise<R | undefined>,
): Promise<R | undefined> {
  for (const item of items) {
    const found = await of(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
