import { setTimeout as pause } from 'node:timers/promises';
import { realmCommand } from './realm-command';
import { type Rotation, rotationOf, type SigningKey, SigningKeys } from './signing-keys';

/** Gateways and services look at the published keys at least this often. */
const REFRESH_SECONDS = 30;
/** How much longer than two refreshes a gateway may take until it has the new key. */
const PATIENCE_REFRESHES = 4;

interface Options {
  check: boolean;
  refreshMs: number;
  /** Admin addresses of gateways, asked whether they have the key before it signs. */
  gateways: readonly string[];
}

/**
 * `npm run rotate:signing-key -- [--check] [--stack NAME] [--refresh-seconds N] [--gateway URL,...|none]`: gives the
 * realm a new signing key and takes the old one away, without a token refused. What it does and waits for is said line by
 * line; a run that was ended goes on where it stood when the command is given again. `--check` only says where it stands.
 * Where Keycloak is and its administrator come from the stack, or from KEYCLOAK_URL, KEYCLOAK_ADMIN_CLIENT_ID,
 * KEYCLOAK_ADMIN_CLIENT_SECRET and KEYCLOAK_REALM; gateways from KONG_ADMIN_URLS or GATEWAY_ADMIN_URL.
 */
async function main(argv: readonly string[]): Promise<void> {
  const options = ['--check', '--stack', '--refresh-seconds', '--gateway'];
  const { admin, environment, after } = realmCommand(argv, options);
  const refreshSeconds = Number(after('--refresh-seconds') ?? REFRESH_SECONDS);
  if (!(refreshSeconds > 0)) throw new Error('--refresh-seconds must be a number above 0');
  const named =
    after('--gateway') ?? environment['KONG_ADMIN_URLS'] ?? environment['GATEWAY_ADMIN_URL'] ?? 'none';
  await rotate(new SigningKeys(admin), {
    check: argv.includes('--check'),
    refreshMs: refreshSeconds * 1000,
    gateways: named === 'none' ? [] : named.split(',').map((url) => url.trim().replace(/\/$/, '')),
  });
}

async function rotate(keys: SigningKeys, options: Options): Promise<void> {
  let rotation = rotationOf(await keys.all());
  if (options.check) return say(sentenceOf(rotation));
  if (rotation.kind === 'none') {
    await keys.prepare(rotation.signs, `signing-key-${new Date().toISOString()}`);
    rotation = rotationOf(await keys.all());
  } else say(`going on with a rotation that was begun before: ${sentenceOf(rotation)}`);

  if (rotation.kind === 'prepared') {
    const { next } = rotation;
    say(`prepared: the key ${next.kid} is published and does not sign yet`);
    await waited(2 * options.refreshMs, 'two refreshes of gateways and services');
    for (const gateway of options.gateways) await hasKey(gateway, next, options.refreshMs);
    await keys.set(next, { active: true });
    rotation = rotationOf(await keys.all());
    say(`activated: the key ${next.kid} signs`);
  }

  if (rotation.kind === 'superseded') {
    for (const old of rotation.old) if (old.active) await keys.set(old, { active: false });
    const life = (await keys.longestTokenSeconds()) * 1000 + options.refreshMs;
    await waited(life, 'the last token of the old key to expire');
    for (const old of rotation.old) {
      say(`disabling the key ${old.kid}: what it signed is refused within ${options.refreshMs / 1000} s`);
      await keys.set(old, { enabled: false });
    }
  }
  say(sentenceOf(rotationOf(await keys.all())));
}

/** A gateway that has not heard of the key would refuse its tokens: nothing is activated then. */
async function hasKey(gateway: string, { kid }: SigningKey, refreshMs: number): Promise<void> {
  for (let round = 0; ; round += 1) {
    const kids = await fetch(`${gateway}/jwts`, { signal: AbortSignal.timeout(5_000) })
      .then(async (answer) =>
        ((await answer.json()) as { data: { key: string }[] }).data.map(({ key }) => key),
      )
      .catch(() => undefined);
    if (kid !== undefined && kids?.includes(kid) === true) return say(`the gateway at ${gateway} has it`);
    if (round === PATIENCE_REFRESHES)
      throw new Error(
        kids === undefined
          ? `The gateway at ${gateway} does not answer; nothing was activated. Start it and run this again, or give --gateway none.`
          : `The gateway at ${gateway} does not have the key; nothing was activated. Look after its reconciler, then run this again.`,
      );
    await pause(refreshMs);
  }
}

function sentenceOf(rotation: Rotation): string {
  switch (rotation.kind) {
    case 'none':
      return `the key ${rotation.signs.kid} signs, and no other is published`;
    case 'prepared':
      return `the key ${rotation.signs.kid} signs, ${rotation.next.kid} is published and waits`;
    case 'superseded':
      return `the key ${rotation.signs.kid} signs, still published: ${rotation.old.map(({ kid }) => kid).join(', ')}`;
  }
}

async function waited(ms: number, what: string): Promise<void> {
  say(`waiting ${ms / 1000} s for ${what}`);
  await pause(ms);
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`rotate:signing-key: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
