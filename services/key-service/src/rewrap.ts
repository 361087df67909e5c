import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { createLogger } from '@sociograph/observability';
import { Postgres } from '@sociograph/postgres';
import { runMain } from '@sociograph/service-host';
import { KeyRewrapper } from './application/rewrap-keys';
import { rewrapConfig } from './config';
import { chooseKms } from './infrastructure/choose-kms';
import { contextOf, EnvelopeVault } from './infrastructure/envelope-vault';
import { addMasterKey, keepNewestMasterKey } from './infrastructure/master-key-file';
import { PostgresDataKeys } from './infrastructure/postgres-pool-store';
import { PostgresSealedStore } from './infrastructure/postgres-sealed-store';

const OPTIONS = new Set(['--new-master-key', '--tokens', '--resume', '--drop-old']);
const SETTLE_MS = 5_000;
const HELP = `npm run keys:rewrap -- [--new-master-key] [--tokens [--resume]] [--drop-old]
  Puts every data key under the newest master key; services go on meanwhile. May be broken off and run again.
  --new-master-key  makes a new master key first, in front of the old one (KMS_PROVIDER=local)
  --tokens          seals every token anew under new data keys, too
  --resume          goes on with the data keys of a run with --tokens that was broken off
  --drop-old        at the end takes the older keys out of the master key file (KMS_PROVIDER=local)
`;

/** `keys:rewrap`: the master key changes while leasing goes on. */
runMain(async () => {
  const options = new Set(process.argv.slice(2));
  const unknown = [...options].find((option) => !OPTIONS.has(option));
  if (unknown !== undefined) {
    process.stderr.write(HELP);
    process.exitCode = unknown === '--help' ? 0 : 2;
    return;
  }
  const config = rewrapConfig();
  const local = config.KMS_PROVIDER === 'local' ? config.KMS_MASTER_KEY_FILE : undefined;
  if (local === undefined && (options.has('--new-master-key') || options.has('--drop-old'))) {
    throw new Error('--new-master-key and --drop-old need KMS_PROVIDER=local and KMS_MASTER_KEY_FILE.');
  }
  if (local !== undefined && options.has('--new-master-key')) addMasterKey(local);

  const logger = createLogger({ service: 'key-service', instance: 'rewrap', level: config.LOG_LEVEL });
  const postgres = new Postgres({ url: config.DATABASE_URL_WORKER, max: 2, logger });
  const clock = new SystemClock();
  const kms = chooseKms(config);
  const dataKeys = new PostgresDataKeys(postgres);
  const vault = new EnvelopeVault({ kms, dataKeys, clock, ids: new TimeOrderedIds() });
  const rewrapper = new KeyRewrapper(new PostgresSealedStore(postgres), dataKeys, kms, vault, {
    contextOf,
    newDataKey: (workspaceId) => vault.newDataKey(workspaceId),
    onDataKeysMade: () =>
      void process.stdout.write(
        'New data keys are there; if this is broken off, go on with --tokens --resume.\n',
      ),
  });
  try {
    const {
      dataKeys: count,
      rewrapped,
      resealed,
    } = await rewrapper.run({
      tokens: options.has('--tokens'),
      resume: options.has('--resume'),
    });
    if (rewrapped > 0) {
      // A service may have begun to write a data key under the old master key just before it saw the new one.
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      await rewrapper.run({ tokens: false, resume: false });
    }
    const say = (line: string): boolean => process.stdout.write(`${line}\n`);
    say(`${count} data keys are under the newest master key; ${rewrapped} of them were not before.`);
    if (options.has('--tokens')) say(`${resealed} tokens were sealed anew.`);
    if (local !== undefined && options.has('--drop-old')) {
      say(`${keepNewestMasterKey(local)} older master keys were taken out of the master key file.`);
    }
    say('No older master key opens anything any more: its file, or its lines in the file, may be removed.');
  } finally {
    await postgres.end();
  }
});
