import type { KMSClient } from '@aws-sdk/client-kms';
import { vaultUnavailable } from '../domain/errors';
import { Kms } from '../domain/ports';

/** Data keys from AWS KMS. The SDK is loaded when it is chosen: it costs 30 MB of memory that others need not pay. */
export class AwsKms extends Kms {
  readonly #keyId: string;
  readonly #region: string | undefined;
  #client: Promise<{ sdk: typeof import('@aws-sdk/client-kms'); client: KMSClient }> | undefined;

  constructor(options: { keyId: string; region?: string | undefined }) {
    super();
    this.#keyId = options.keyId;
    this.#region = options.region;
  }

  async generateDataKey(context: Record<string, string>): Promise<{ plain: Buffer; wrapped: Buffer }> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.GenerateDataKeyCommand({
      KeyId: this.#keyId,
      KeySpec: 'AES_256',
      EncryptionContext: context,
    });
    const { Plaintext, CiphertextBlob } = await client.send(command).catch(unavailable);
    return {
      plain: Buffer.from(Plaintext as Uint8Array),
      wrapped: Buffer.from(CiphertextBlob as Uint8Array),
    };
  }

  async unwrap(wrapped: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.DecryptCommand({
      CiphertextBlob: wrapped,
      EncryptionContext: context,
      // Pinned: without it KMS would open what any other key of the account sealed.
      KeyId: this.#keyId,
    });
    const { Plaintext } = await client.send(command).catch(unavailable);
    return Buffer.from(Plaintext as Uint8Array);
  }

  #connect(): Promise<{ sdk: typeof import('@aws-sdk/client-kms'); client: KMSClient }> {
    this.#client ??= import('@aws-sdk/client-kms').then((sdk) => ({
      sdk,
      client: new sdk.KMSClient({
        ...(this.#region !== undefined && { region: this.#region }),
        maxAttempts: 2,
        requestHandler: { requestTimeout: 3_000, connectionTimeout: 1_000 },
      }),
    }));
    return this.#client;
  }
}

function unavailable(cause: unknown): never {
  throw vaultUnavailable(cause);
}
