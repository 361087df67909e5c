import type { Kms } from '../domain/sealing';
import { AwsKms } from './aws-kms';
import { LocalKms } from './local-kms';

export interface KmsSettings {
  KMS_PROVIDER: 'local' | 'aws';
  KMS_MASTER_KEY_FILE?: string | undefined;
  KMS_OLD_MASTER_KEY_FILES?: readonly string[] | undefined;
  KMS_KEY_ID?: string | undefined;
  KMS_OLD_KEY_IDS?: readonly string[] | undefined;
  KMS_ENDPOINT?: string | undefined;
  AWS_REGION?: string | undefined;
}

/** The KMS that the configuration names; throws a sentence when what it needs is missing. */
export function chooseKms(config: KmsSettings): Kms {
  if (config.KMS_PROVIDER === 'local') {
    if (config.KMS_MASTER_KEY_FILE === undefined)
      throw new Error('KMS_MASTER_KEY_FILE is missing (KMS_PROVIDER=local).');
    return new LocalKms(config.KMS_MASTER_KEY_FILE, config.KMS_OLD_MASTER_KEY_FILES);
  }
  if (config.KMS_KEY_ID === undefined) throw new Error('KMS_KEY_ID is missing (KMS_PROVIDER=aws).');
  return new AwsKms({
    keyId: config.KMS_KEY_ID,
    olderKeyIds: config.KMS_OLD_KEY_IDS ?? [],
    region: config.AWS_REGION,
    endpoint: config.KMS_ENDPOINT,
  });
}
