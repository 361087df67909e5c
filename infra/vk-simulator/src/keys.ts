import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export type KeyKind = 'user' | 'service' | 'community';

export interface SimulatedKey {
  /** What `/stats` calls the key; the token itself is shown nowhere. */
  name: string;
  token: string;
  kind: KeyKind;
  /** The person whose key it is; null for service and community keys. */
  owner: number | null;
  perSecond: number;
  /** Keys of one bucket share one per-second limit; by default each has its own. */
  bucket: string;
  /** Of the pair that the token belongs to; follows from the seed unless the tokens file has one. */
  refreshToken?: string;
}

const PER_SECOND: Record<KeyKind, number> = { user: 3, service: 3, community: 20 };

/** Keys derived from the seed: the same seed gives the same tokens. Owners lie outside the graph. */
export function generateKeys(
  seed: number,
  counts: Record<KeyKind, number>,
  firstOwner: number,
): SimulatedKey[] {
  const keys: SimulatedKey[] = [];
  for (const kind of ['user', 'service', 'community'] as const) {
    for (let number = 1; number <= counts[kind]; number += 1) {
      const name = `${kind}-${number}`;
      const token = `vk1.a.${createHmac('sha512', `sociograph-vk-simulator:${seed}`).update(name).digest('base64url')}`;
      const owner = kind === 'user' ? firstOwner + number - 1 : null;
      keys.push({ name, token, kind, owner, perSecond: PER_SECOND[kind], bucket: name });
    }
  }
  return keys;
}

/** Reads keys from a JSON list of {token, kind?, name?, owner?, perSecond?, bucket?}. */
export function readKeys(file: string): SimulatedKey[] {
  const entries = JSON.parse(readFileSync(file, 'utf8')) as Array<Partial<SimulatedKey>>;
  if (!Array.isArray(entries)) throw new Error(`The tokens file ${file} holds no list.`);
  return entries.map((entry, position) => {
    const kind = entry.kind ?? 'user';
    if (typeof entry.token !== 'string' || entry.token === '' || !Object.hasOwn(PER_SECOND, kind)) {
      throw new Error(
        `The tokens file ${file} is wrong: entry ${position + 1} has no token or an unknown kind.`,
      );
    }
    const name = entry.name ?? `${kind}-${position + 1}`;
    return {
      name,
      token: entry.token,
      kind,
      owner: entry.owner ?? null,
      perSecond: entry.perSecond ?? PER_SECOND[kind],
      bucket: entry.bucket ?? name,
      ...(entry.refreshToken !== undefined && { refreshToken: entry.refreshToken }),
    };
  });
}

/** The keys in the file when it exists; else the generated ones, which are then written there (mode 0600). */
export function keysFrom(file: string | undefined, generate: () => SimulatedKey[]): SimulatedKey[] {
  if (file !== undefined && existsSync(file)) return readKeys(file);
  const keys = generate();
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return keys;
}
