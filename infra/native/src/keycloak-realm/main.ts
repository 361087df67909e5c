import { realmCommand } from './realm-command';
import { driftOf } from './realm-drift';

/** A client that is made brings its account, which is looked at in the next round. */
const MOST_ROUNDS = 3;

/**
 * `npm run migrate:keycloak -- [--check] [--stack NAME]`: brings the realm to what infra/keycloak/realm.json says, or
 * (--check) only says what differs. Exit 0: nothing differs any more; 1: --check found something; 2: it failed.
 * Where Keycloak is and its administrator come from the stack, or from KEYCLOAK_URL, KEYCLOAK_ADMIN_CLIENT_ID,
 * KEYCLOAK_ADMIN_CLIENT_SECRET, KEYCLOAK_REALM and DEMO_CLIENT_SECRET.
 */
async function main(argv: readonly string[]): Promise<number> {
  const { admin, file } = realmCommand(argv, ['--check', '--stack', '--file']);
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const drift = await driftOf(admin, file);
    if (drift.length === 0) {
      process.stdout.write(`realm ${admin.realm} is as its file says\n`);
      return 0;
    }
    for (const { sentence } of drift) process.stdout.write(`${sentence}\n`);
    if (argv.includes('--check')) return 1;
    for (const { apply } of drift) await apply();
  }
  throw new Error('Keycloak does not keep what it is given: see the lines above.');
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`migrate:keycloak: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
