import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { exportStoreUnavailable } from '../domain/export-errors';
import { EXPORT_LINK_MS, ExportFiles } from '../domain/export-ports';

type Sdk = typeof import('@aws-sdk/client-s3') &
  typeof import('@aws-sdk/lib-storage') &
  typeof import('@aws-sdk/s3-request-presigner');

export interface S3Options {
  bucket: string;
  region: string;
  /** Another address than AWS' own: MinIO, Ceph, an emulator. Buckets are then part of the path. */
  endpoint?: string | undefined;
  /** The address that links name, where callers reach the store by another one. */
  publicEndpoint?: string | undefined;
}

/** Two of these are in memory at a time. S3 takes 10,000 parts: files end at 80 GB. */
const PART_BYTES = 8 * 1024 * 1024;

/**
 * Files in a bucket that speaks S3; callers fetch them there by presigned URLs. The SDK is loaded when it is chosen.
 * Credentials come from where the SDK finds them. Parts of uploads whose process was killed stay in the bucket: give
 * it a lifecycle rule that ends multipart uploads and objects after two days.
 */
export class S3ExportFiles extends ExportFiles {
  readonly #options: S3Options;
  #sdk: Promise<Sdk> | undefined;
  #clients = new Map<string | undefined, S3Client>();

  constructor(options: S3Options) {
    super();
    this.#options = options;
  }

  async write(
    file: string,
    contents: AsyncIterable<Uint8Array>,
    { mediaType, signal }: { mediaType: string; signal: AbortSignal },
  ): Promise<number> {
    const sdk = await this.#load();
    let bytes = 0;
    let fault: unknown;
    const counted = async function* (): AsyncIterable<Uint8Array> {
      try {
        for await (const chunk of contents) {
          signal.throwIfAborted();
          bytes += chunk.byteLength;
          yield chunk;
        }
      } catch (error) {
        fault = error;
        throw error;
      }
    };
    const upload = new sdk.Upload({
      client: this.#client(sdk, this.#options.endpoint),
      params: {
        Bucket: this.#options.bucket,
        Key: file,
        Body: Readable.from(counted(), { objectMode: false }),
        ContentType: mediaType,
      },
      partSize: PART_BYTES,
      queueSize: 2,
      leavePartsOnError: false,
    });
    const abort = (): void => void upload.abort();
    signal.addEventListener('abort', abort);
    try {
      await upload.done();
    } catch (error) {
      signal.throwIfAborted();
      // What the graph or the draft could not give is no fault of the bucket.
      throw fault ?? exportStoreUnavailable(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
    return bytes;
  }

  async remove(file: string): Promise<void> {
    const sdk = await this.#load();
    const command = new sdk.DeleteObjectCommand({ Bucket: this.#options.bucket, Key: file });
    await this.#client(sdk, this.#options.endpoint)
      .send(command)
      .catch((error: unknown) => {
        throw exportStoreUnavailable(error);
      });
  }

  async link(file: string, { name, mediaType }: { name: string; mediaType: string }): Promise<string> {
    const sdk = await this.#load();
    const { bucket, endpoint, publicEndpoint = endpoint } = this.#options;
    const command = new sdk.GetObjectCommand({
      Bucket: bucket,
      Key: file,
      ResponseContentDisposition: `attachment; filename="${name}"`,
      ResponseContentType: mediaType,
    });
    return sdk.getSignedUrl(this.#client(sdk, publicEndpoint), command, { expiresIn: EXPORT_LINK_MS / 1000 });
  }

  /** Files are fetched at the bucket. */
  async accepts(): Promise<boolean> {
    return false;
  }

  async open(): Promise<undefined> {
    return undefined;
  }

  /** The bucket's lifecycle rule does it. */
  async sweep(): Promise<void> {}

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
  }

  #load(): Promise<Sdk> {
    this.#sdk ??= Promise.all([
      import('@aws-sdk/client-s3'),
      import('@aws-sdk/lib-storage'),
      import('@aws-sdk/s3-request-presigner'),
    ]).then(([s3, storage, presigner]) => ({ ...s3, ...storage, ...presigner }));
    return this.#sdk;
  }

  #client(sdk: Sdk, endpoint: string | undefined): S3Client {
    const known = this.#clients.get(endpoint);
    if (known) return known;
    const made = new sdk.S3Client({
      region: this.#options.region,
      // Stores other than AWS' do not know the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    });
    this.#clients.set(endpoint, made);
    return made;
  }
}
