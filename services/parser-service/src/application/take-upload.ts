import { Clock, Ids } from '@sociograph/kernel';
import { actOf, type Requester } from '../domain/audit';
import {
  isFileNetwork,
  type Upload,
  UPLOAD_LIMITS,
  type UploadLimits,
  uploadInUse,
  uploadsBusy,
  uploadUnknown,
  uploadUnreadable,
} from '../domain/upload';
import { FileReader, Uploads } from '../domain/upload-ports';
import { invalidImport } from '../domain/errors';

/** Each takes memory while it is read; the others are told to come again. */
export const READ_AT_ONCE = 2;

export interface TakeUploadCommand {
  workspaceId: string;
  by: string;
  network: string;
  body: AsyncIterable<Uint8Array>;
  correlationId?: string | undefined;
}

export type TakenUpload = { kind: 'taken'; upload: Upload; isNew: boolean } | { kind: 'too-large' };

/** Takes a file in whole or not at all; the same file for the same network is the same upload. */
export class TakeUpload {
  private reading = 0;

  constructor(
    private readonly uploads: Uploads,
    private readonly reader: FileReader,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly limits: UploadLimits = UPLOAD_LIMITS,
  ) {}

  async handle({ workspaceId, network, body, ...requester }: TakeUploadCommand): Promise<TakenUpload> {
    if (!isFileNetwork(network)) {
      const message =
        'must be file, or file- and a name of small letters, digits and dashes, 32 characters at most';
      throw invalidImport([{ field: 'network', message }]);
    }
    if (this.reading >= READ_AT_ONCE) throw uploadsBusy(READ_AT_ONCE);
    this.reading += 1;
    try {
      const verdict = await this.reader.read(body, this.limits);
      if (verdict.kind === 'too-large') return verdict;
      if (verdict.kind === 'refused') throw uploadUnreadable(verdict.faults);
      const { rows, ...about } = verdict.file;
      const now = this.clock.nowMs();
      const upload = {
        ...{ id: this.ids.next(), workspaceId, network, createdBy: requester.by },
        ...{ createdAt: now, keptSince: now, ...about },
      };
      const act = actOf('upload.create', requester, this.ids, now);
      return { kind: 'taken', ...(await this.uploads.add(upload, rows, act)) };
    } finally {
      this.reading -= 1;
    }
  }
}

/** Queries about uploads, and their end. */
export class KeepUploads {
  constructor(
    private readonly uploads: Uploads,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async one(workspaceId: string, uploadId: string): Promise<Upload> {
    const found = await this.uploads.find(workspaceId, uploadId);
    if (found === undefined) throw uploadUnknown(uploadId);
    return found;
  }

  /** `next` is what to give as `after` for the page that follows; absent on the last page. */
  async page(
    workspaceId: string,
    limit: number,
    after?: string,
  ): Promise<{ items: Upload[]; next?: string }> {
    const found = await this.uploads.page(workspaceId, limit + 1, after);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return found.length > limit && last !== undefined ? { items, next: last.id } : { items };
  }

  async remove(workspaceId: string, uploadId: string, requester: Requester): Promise<void> {
    const act = actOf('upload.delete', requester, this.ids, this.clock.nowMs());
    const outcome = await this.uploads.remove(workspaceId, uploadId, act);
    if (outcome === 'unknown') throw uploadUnknown(uploadId);
    if (outcome === 'in-use') throw uploadInUse(uploadId);
  }
}
