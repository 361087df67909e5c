import { type Clock, DomainError } from '@sociograph/kernel';
import { countAnew, inSlices, type GraphFigures } from './full-recount';
import type { GraphSummary } from './graph-summary';
import type { GraphView } from './graph-view';
import type { Difference, RecountOutcome } from './jobs';
import type { ProfileRow, SummaryRow, ViewStore } from './ports';
import type { Projector } from './projector';
import { contentDifferences, foundDifferences, rankingDifferences } from './recount-beside';

const ROWS_PER_READ = 1000;
const SAMPLE = 10;
/** Rows that differ are looked at a second time while nothing is written: so many, the rest need not be counted. */
const MOST_SUSPECTS = 5000;

export interface RecountPorts {
  projector: Projector;
  store: ViewStore;
  clock: Clock;
  /** Throws when the recount must end: beside a successor's rows, this memory would find differences that are none. */
  goOn: () => void;
}

/**
 * Compares what is kept of one graph with a full recount: the figures, everybody's degree and triangles and the state's
 * hash in memory, as of one moment, and then the rows in the store with the memory. The stream and the readers go on
 * meanwhile. A row that differs is written again; figures in memory are not mended, a rebuild does that. Rows of
 * nobody in memory are not looked for: only a rebuild removes them.
 */
export async function recountGraph(view: GraphView, ports: RecountPorts): Promise<RecountOutcome> {
  const { clock, goOn } = ports;
  const started = clock.monotonicMs();
  const kept = view.figures();
  const snapshot = view.snapshot();
  const counted = await inSlices(countAnew(snapshot, view.partitionCount), clock, goOn);
  const differences = [
    ...figureDifferences(kept, counted),
    ...peopleDifference(kept, counted, snapshot.ids),
    ...(await rowDifferences(view, ports)),
    ...(await contentDifferences(view, ports)),
    ...(await foundDifferences(view, ports)),
    ...(await rankingDifferences(view, ports)),
  ];
  const { workspaceId, network } = view;
  const { users, friendships } = counted.summary;
  return { workspaceId, network, users, friendships, differences, tookMs: clock.monotonicMs() - started };
}

/** Figures of the summary and hashes of partitions that are not the same. */
export function figureDifferences(kept: GraphFigures, counted: GraphFigures): Difference[] {
  const differences: Difference[] = [];
  const compare = (what: string, ours: number | string, theirs: number | string): void => {
    if (ours !== theirs) differences.push({ what, kept: ours, counted: theirs });
  };
  for (const figure of SINGLE_FIGURES) compare(figure, kept.summary[figure], counted.summary[figure]);
  compare(
    'degreeDistribution',
    JSON.stringify(kept.summary.degreeDistribution),
    JSON.stringify(counted.summary.degreeDistribution),
  );
  for (const [partition, hash] of counted.hashes.entries())
    compare(`hash of partition ${partition}`, kept.hashes[partition]!, hash);
  return differences;
}

const SINGLE_FIGURES = [
  'users',
  'friendships',
  'triangles',
  'wedges',
  'averageClustering',
  'transitivity',
  'closedTriangleFraction',
  'components',
  'largestComponent',
] as const satisfies readonly (keyof GraphSummary)[];

function peopleDifference(kept: GraphFigures, counted: GraphFigures, ids: readonly string[]): Difference[] {
  const differing: string[] = [];
  for (const [person, id] of ids.entries()) {
    const same =
      kept.degrees[person] === counted.degrees[person] &&
      kept.triangles[person] === counted.triangles[person];
    if (!same) differing.push(id);
  }
  return peopleOf('people with other figures', differing);
}

async function rowDifferences(view: GraphView, ports: RecountPorts): Promise<Difference[]> {
  const { projector, store, goOn } = ports;
  const suspects = await differingPeople(view, ports, view.people());
  // What waits to be written or is being written just now differs rightly; nothing is being written in here.
  return projector.between(async () => {
    const found: number[] = [];
    for (const person of await differingPeople(view, ports, suspects.slice(0, MOST_SUSPECTS)))
      if (!view.graph.isTouched(person)) found.push(person);
    const differences = peopleOf(
      'rows of people',
      found.map((person) => view.graph.nameOf(person)),
    );
    const row = await store.summary(view.key);
    goOn();
    if (!view.hasTouched && !sameFigures(row, view)) {
      const fresh = view.summaryRow(0, 0);
      differences.push({ what: 'row of the summary', kept: figuresText(row), counted: figuresText(fresh) });
      projector.rewrite(view, []);
    }
    if (found.length > 0) projector.rewrite(view, found);
    return differences;
  });
}

async function differingPeople(
  view: GraphView,
  { store, goOn }: RecountPorts,
  people: readonly number[],
): Promise<number[]> {
  const differing: number[] = [];
  for (let from = 0; from < people.length; from += ROWS_PER_READ) {
    const page = people.slice(from, from + ROWS_PER_READ);
    const rows = await store.profilesOf(page.map((person) => view.rowKey(person)));
    goOn();
    for (const person of page) {
      const fresh = view.profileRow(person, 0, 0);
      if (typeof fresh !== 'string' && !sameRow(rows.get(fresh.key), fresh)) differing.push(person);
    }
  }
  return differing;
}

function peopleOf(what: string, ids: readonly string[]): Difference[] {
  if (ids.length === 0) return [];
  return [{ what, kept: ids.length, counted: 0, ids: ids.slice(0, SAMPLE) }];
}

function sameRow(row: ProfileRow | undefined, fresh: ProfileRow): boolean {
  return row !== undefined && textOf(row) === textOf(fresh);
}

/** What a row says, whatever the order of fields, who wrote it and when. */
function textOf({ writer: _, writtenAt: __, profile, ...row }: ProfileRow): string {
  const ordered = (fields: object): [string, unknown][] =>
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([ordered(row), ordered(profile)]);
}

function sameFigures(row: SummaryRow | undefined, view: GraphView): boolean {
  return figuresText(row) === figuresText(view.summaryRow(0, 0));
}

function figuresText(row: SummaryRow | undefined): string {
  if (row === undefined) return 'none';
  return JSON.stringify([...SINGLE_FIGURES.map((figure) => row[figure]), row.degreeDistribution]);
}

/** The job stays open, and whoever writes next begins it anew. */
export function recountBrokenOff(): DomainError {
  return new DomainError({
    code: 'VIEWS.RECOUNT_BROKEN_OFF',
    kind: 'unavailable',
    message: 'The recount was broken off',
  });
}
