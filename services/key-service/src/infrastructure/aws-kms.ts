import type { KMSClient } from '@aws-sdk/client-kms';
import { sealBroken, vaultUnavailable } from '../domain/errors';
import { Kms } from '../domain/sealing';

type Sdk = typeof import('@aws-sdk/client-kms');

export interface AwsKmsOptions {
  /** Id, alias or ARN of the key that wraps. */
  keyId: string;
  /** Keys that wrapped what is still there; they unwrap only. */
  olderKeyIds?: readonly string[];
  region?: string | undefined;
  /** Another address than AWS' own: a VPC endpoint, or an emulator. */
  endpoint?: string | undefined;
}

/** Another key wrapped it: KMS says so by either name. */
const OTHER_KEY = new Set(['IncorrectKeyException', 'AccessDeniedException']);

/**
 * Data keys from AWS KMS. The SDK is loaded when it is chosen: it costs 30 MB of memory that others need not pay.
 * Credentials come from where the SDK finds them (environment, IRSA, instance profile).
 */
export class AwsKms extends Kms {
  readonly #options: AwsKmsOptions;
  #client: Promise<{ sdk: Sdk; client: KMSClient }> | undefined;

  constructor(options: AwsKmsOptions) {
    super();
    this.#options = options;
  }

  async generateDataKey(context: Record<string, string>): Promise<{ plain: Buffer; wrapped: Buffer }> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.GenerateDataKeyCommand({
      KeyId: this.#options.keyId,
      KeySpec: 'AES_256',
      EncryptionContext: context,
    });
    const { Plaintext, CiphertextBlob } = await client.send(command).catch(refused);
    return {
      plain: Buffer.from(Plaintext as Uint8Array),
      wrapped: Buffer.from(CiphertextBlob as Uint8Array),
    };
  }

  async wrap(plain: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.EncryptCommand({
      KeyId: this.#options.keyId,
      Plaintext: plain,
      EncryptionContext: context,
    });
    const { CiphertextBlob } = await client.send(command).catch(refused);
    return Buffer.from(CiphertextBlob as Uint8Array);
  }

  async unwrap(wrapped: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    const { keyId, olderKeyIds = [] } = this.#options;
    for (const older of [keyId, ...olderKeyIds]) {
      const plain = await this.#decrypt(wrapped, context, older);
      if (plain !== undefined) return plain;
    }
    throw sealBroken();
  }

  async isNewest(wrapped: Uint8Array, context: Record<string, string>): Promise<boolean> {
    return (await this.#decrypt(wrapped, context, this.#options.keyId)) !== undefined;
  }

  /** Undefined: another key wrapped it. */
  async #decrypt(
    wrapped: Uint8Array,
    context: Record<string, string>,
    keyId: string,
  ): Promise<Buffer | undefined> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.DecryptCommand({
      CiphertextBlob: wrapped,
      EncryptionContext: context,
      // Pinned: without it KMS would open what any other key of the account sealed.
      KeyId: keyId,
    });
    try {
      const { Plaintext } = await client.send(command);
      return Buffer.from(Plaintext as Uint8Array);
    } catch (error) {
      const more = this.#options.olderKeyIds !== undefined && this.#options.olderKeyIds.length > 0;
      if (more && OTHER_KEY.has(nameOf(error))) return undefined;
      return refused(error);
    }
  }

  #connect(): Promise<{ sdk: Sdk; client: KMSClient }> {
    const { region, endpoint } = this.#options;
    this.#client ??= import('@aws-sdk/client-kms').then((sdk) => ({
      sdk,
      client: new sdk.KMSClient({
        ...(region !== undefined && { region }),
        ...(endpoint !== undefined && { endpoint }),
        maxAttempts: 2,
        requestHandler: { requestTimeout: 3_000, connectionTimeout: 1_000 },
      }),
    }));
    return this.#client;
  }
}

/** What is wrong with the bytes or their context is no outage; everything else may be over soon. */
function refused(error: unknown): never {
  const name = nameOf(error);
  if (name === 'InvalidCiphertextException') throw sealBroken(error);
  throw vaultUnavailable(error, name);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
