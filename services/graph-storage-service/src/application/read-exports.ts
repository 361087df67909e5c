import type { Clock } from '@sociograph/kernel';
import { EXPORT_FILES, exportFileName, type Export } from '../domain/export';
import { exportLinkOver, exportNotReady, exportUnknown } from '../domain/export-errors';
import { EXPORT_LINK_MS, ExportFiles, ExportRecords, type ExportLink } from '../domain/export-ports';

/** An export as its workspace sees it; `link` once it is ready. */
export interface ExportView {
  export: Export;
  link: { url: string; expiresAt: number } | undefined;
}

export interface ExportFile {
  name: string;
  mediaType: string;
  bytes: number;
  contents: AsyncIterable<Uint8Array>;
}

export class ReadExports {
  constructor(
    private readonly records: ExportRecords,
    private readonly files: ExportFiles,
    private readonly clock: Clock,
  ) {}

  /** Throws `EXPORT.UNKNOWN` for another workspace's export and for one whose time is over. */
  async one(workspaceId: string, id: string): Promise<ExportView> {
    return this.#view(await this.#find(workspaceId, id));
  }

  /** Newest first; `next` is the id to continue behind. */
  async page(
    workspaceId: string,
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<{ items: ExportView[]; next: string | undefined }> {
    const now = this.clock.nowMs();
    const found = await this.records.page(workspaceId, { limit: limit + 1, after, now });
    const items = found.slice(0, limit);
    return {
      items: await Promise.all(items.map((one) => this.#view(one))),
      next: found.length > limit ? items.at(-1)?.id : undefined,
    };
  }

  /** The file behind a link of ours. Throws `EXPORT.UNKNOWN`, `EXPORT.NOT_READY` and `EXPORT.LINK_OVER`. */
  async file(workspaceId: string, id: string, link: ExportLink): Promise<ExportFile> {
    const found = await this.#find(workspaceId, id);
    if (found.state.kind !== 'ready') throw exportNotReady(found.state.kind);
    const { file } = found.state;
    if (!(await this.files.accepts(file, link, this.clock.nowMs()))) throw exportLinkOver();
    const opened = await this.files.open(file);
    if (!opened) throw exportUnknown();
    return { ...opened, name: exportFileName(found), mediaType: EXPORT_FILES[found.format].mediaType };
  }

  async #find(workspaceId: string, id: string): Promise<Export> {
    const found = await this.records.find(id);
    if (found?.workspaceId !== workspaceId || found.expiresAt <= this.clock.nowMs()) throw exportUnknown();
    return found;
  }

  async #view(one: Export): Promise<ExportView> {
    if (one.state.kind !== 'ready') return { export: one, link: undefined };
    const now = this.clock.nowMs();
    const url = await this.files.link(one.state.file, {
      exportId: one.id,
      name: exportFileName(one),
      mediaType: EXPORT_FILES[one.format].mediaType,
      now,
    });
    return { export: one, link: { url, expiresAt: now + EXPORT_LINK_MS } };
  }
}
