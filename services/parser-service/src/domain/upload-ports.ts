import type { FieldFault } from '@sociograph/kernel';
import type { Act } from './audit';
import type { ProfileField } from './import-scope';
import type { FileKind, Upload, UploadedPerson, UploadLimits } from './upload';

/** A file that was read to its end. */
export interface ReadFile {
  readonly kind: FileKind;
  readonly digest: string;
  readonly bytes: number;
  readonly people: number;
  readonly friendships: number;
  readonly fields: readonly ProfileField[];
  /** May be gone through more than once. */
  readonly rows: Iterable<UploadedPerson>;
}

export type FileVerdict =
  | { kind: 'read'; file: ReadFile }
  | { kind: 'refused'; faults: FieldFault[] }
  /** Above the limit of the body or of what it unpacks to; the rest of it is not read. */
  | { kind: 'too-large' };

/** Reads a file as it comes: edge list or CSV, packed with gzip or not; what it is, its first line tells. */
export abstract class FileReader {
  /** Throws UPLOADS.BROKEN_OFF when the body ends early. Faults of lines do not keep the rest of it from being taken in. */
  abstract read(body: AsyncIterable<Uint8Array>, limits: UploadLimits): Promise<FileVerdict>;
}

/** The uploads of all workspaces; each method sees those of one. */
export abstract class Uploads {
  /**
   * Stores the upload with its rows, or nothing. A file that is there already for this network is kept anew, and its
   * upload is the answer. Throws UPLOADS.QUOTA where one more would be too many. The act is audited where it is new.
   */
  abstract add(
    upload: Upload,
    rows: Iterable<UploadedPerson>,
    act?: Act,
  ): Promise<{ upload: Upload; isNew: boolean }>;
  abstract find(workspaceId: string, uploadId: string): Promise<Upload | undefined>;
  /** Newest first; `after` is the id of the last one of the page before. */
  abstract page(workspaceId: string, limit: number, after?: string): Promise<Upload[]>;
  /** `unknown` also for one of another workspace. Its rows go piece by piece. */
  abstract remove(
    workspaceId: string,
    uploadId: string,
    act?: Act,
  ): Promise<'removed' | 'in-use' | 'unknown'>;
}
