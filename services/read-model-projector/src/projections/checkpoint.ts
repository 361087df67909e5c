import type { Positions } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type { ContentState } from './contents';
import type { GraphSnapshot } from './graph-view';
import type { PersonDocument } from './ports';
import type { OwnLists } from './subscriptions';
import type { Views } from './views';

/** Written whole after its chunks: a checkpoint exists when its head does. */
export interface CheckpointHead {
  /** Of the chunks; a new one for every checkpoint. */
  id: string;
  format: number;
  chunks: number;
  /** What the state hashes to, by partition: a state read back must hash to the same. */
  hashes: string[];
  /** How far graph.changes and the social topics are in the state. */
  reached: { partition: number; positions: Positions }[];
  /** Wall clock, ms. */
  at: number;
}

/** Another shape of the chunks is another format: a checkpoint of an older one is not read. */
export const FORMAT = 2;

/** Size of a chunk: compressed it is about a third of that, and a document of the store may have some megabytes. */
const CHUNK_CHARACTERS = 2_000_000;
const IDS_PER_LINE = 1000;

type VertexLine = [
  person: number,
  version: number,
  friends: number[],
  document?: PersonDocument | null,
  lists?: OwnLists,
];
type Line =
  | { graph: [workspaceId: string, network: string] }
  | { ids: string[] }
  | { vertex: VertexLine }
  | { content: ContentState };

/** The state as chunks of JSON lines, made as they are asked for. */
export function* chunksOf(graphs: readonly GraphSnapshot[]): Generator<string> {
  let lines: string[] = [];
  let size = 0;
  for (const line of linesOf(graphs)) {
    const written = JSON.stringify(line);
    lines.push(written);
    size += written.length + 1;
    if (size < CHUNK_CHARACTERS) continue;
    yield lines.join('\n');
    lines = [];
    size = 0;
  }
  if (lines.length > 0) yield lines.join('\n');
}

/** Takes chunks up into views that are new. Throws what the data are not fit for; the views are then worthless. */
export async function restoreChunks(views: Views, chunks: AsyncIterable<string>): Promise<void> {
  let view: ReturnType<Views['graph']> | undefined;
  for await (const chunk of chunks) {
    for (const written of chunk.split('\n')) {
      const line = JSON.parse(written) as Line;
      if ('graph' in line) view = views.graph(...line.graph);
      else if (view === undefined) throw new SyntaxError('A line before the first graph.');
      else if ('ids' in line) view.restore(line.ids);
      else if ('content' in line) view.contents.put(line.content);
      else {
        const [person, version, friends, document, lists = {}] = line.vertex;
        view.restoreVertex({ person, version, friends, document: document ?? undefined, lists });
      }
    }
  }
}

/** Why a checkpoint is not used; the state is then rebuilt from the log. */
export function checkpointBroken(reason: string, cause?: unknown): DomainError {
  return new DomainError({
    code: 'VIEWS.CHECKPOINT_BROKEN',
    kind: 'bug',
    message: 'The checkpoint is not what was written',
    facts: { reason },
    ...(cause === undefined ? {} : { cause }),
  });
}

function* linesOf(graphs: readonly GraphSnapshot[]): Generator<Line> {
  for (const { workspaceId, network, ids, vertices, contents } of graphs) {
    yield { graph: [workspaceId, network] };
    for (let from = 0; from < ids.length; from += IDS_PER_LINE)
      yield { ids: ids.slice(from, from + IDS_PER_LINE) };
    for (const { person, version, friends, document, lists } of vertices()) {
      const vertex: VertexLine = [person, version, friends];
      if (Object.keys(lists).length > 0) vertex.push(document ?? null, lists);
      else if (document !== undefined) vertex.push(document);
      yield { vertex };
    }
    for (const content of contents) yield { content: contentOf(content) };
  }
}

/** Without what only the memory needs. */
function contentOf({ kind, id, version, group, post }: ContentState): ContentState {
  return { kind, id, version, ...(group !== undefined && { group }), ...(post !== undefined && { post }) };
}
