import { EXPORT_FILES, exportFileName, type Export, type ExportResult } from '../domain/export';
import {
  ExportDrafts,
  ExportFiles,
  ExportSource,
  ImportLog,
  type ExportDraft,
  type ExportScope,
} from '../domain/export-ports';
import { gatherExportPeople } from './gather-export-people';

export interface ExportProgress {
  people: number;
  friendships: number;
}

/** Reads the graph into a draft on disk and streams the file from there: memory does not grow with the graph. */
export class MakeExportFile {
  constructor(
    private readonly source: ExportSource,
    private readonly imports: ImportLog,
    private readonly drafts: ExportDrafts,
    private readonly files: ExportFiles,
  ) {}

  /** `progress` is kept up to date while it runs. Throws the signal's reason when aborted. */
  async execute(
    wanted: Export,
    { file, startedAt }: { file: string; startedAt: number },
    progress: ExportProgress,
    signal: AbortSignal,
  ): Promise<ExportResult> {
    signal.throwIfAborted();
    const draft = await this.drafts.open(wanted.id, signal);
    try {
      const { scope, complete } = await this.#scope(wanted, signal);
      await this.#fill(draft, scope, progress, signal);
      const counts = await draft.complete();
      signal.throwIfAborted();
      const contents = draft.contents(wanted.format, { name: exportFileName(wanted), madeAt: startedAt });
      const { mediaType } = EXPORT_FILES[wanted.format];
      const bytes = await this.files.write(file, contents, { mediaType, signal });
      return { ...counts, bytes, complete };
    } finally {
      await draft.discard();
    }
  }

  /** Friendships first: a person is written after its friendships, so its profile is there when it is looked for. */
  async #fill(
    draft: ExportDraft,
    scope: ExportScope,
    progress: ExportProgress,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const page of this.source.friendships(scope)) {
      signal.throwIfAborted();
      draft.addFriendships(page);
      progress.friendships += page.length;
    }
    for await (const page of this.source.people(scope)) {
      signal.throwIfAborted();
      draft.addPeople(page);
      progress.people += page.reduce((sum, { member }) => sum + (member ? 1 : 0), 0);
    }
  }

  async #scope(
    { workspaceId, network, subject }: Export,
    signal: AbortSignal,
  ): Promise<{ scope: ExportScope; complete: boolean }> {
    const graph = { workspaceId, network };
    switch (subject.kind) {
      case 'graph':
        return { scope: graph, complete: true };
      case 'import': {
        const { importId } = subject;
        const seen = await this.imports.sightings({ ...graph, importId }, signal);
        return { scope: { ...graph, import: { ...seen, importId } }, complete: true };
      }
      case 'surroundings': {
        const { people, complete } = await gatherExportPeople(this.source, graph, subject);
        return { scope: { ...graph, people }, complete };
      }
    }
  }
}
