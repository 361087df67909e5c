/** Topic -> partition -> offset of the next record: everything below that offset is meant. */
export type Positions = Record<string, Record<string, number>>;

/** The higher of both, per topic and partition; neither argument is changed. */
export function mergePositions(a: Positions, b: Positions): Positions {
  const merged: Positions = {};
  for (const source of [a, b]) {
    for (const [topic, partitions] of Object.entries(source)) {
      const into = (merged[topic] ??= {});
      for (const [partition, offset] of Object.entries(partitions)) {
        into[partition] = Math.max(into[partition] ?? 0, offset);
      }
    }
  }
  return merged;
}

/** True when `reached` is at or beyond `wanted` in every topic and partition that `wanted` names. */
export function positionsCover(reached: Positions, wanted: Positions): boolean {
  return Object.entries(wanted).every(([topic, partitions]) =>
    Object.entries(partitions).every(([partition, offset]) => (reached[topic]?.[partition] ?? 0) >= offset),
  );
}

/** The opaque token that readers hand back as `min-position`; base64url of JSON. */
export function encodePositions(positions: Positions): string {
  return Buffer.from(JSON.stringify({ v: 1, p: positions })).toString('base64url');
}

/** The positions in a token, or undefined when it is not one of ours. */
export function decodePositions(token: string): Positions | undefined {
  if (token.length > 8192 || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    return undefined; // Not JSON: the caller answers 400 and names the field.
  }
  if (!isRecord(content) || content['v'] !== 1 || !isRecord(content['p'])) return undefined;
  const valid = Object.values(content['p']).every(
    (partitions) =>
      isRecord(partitions) &&
      Object.entries(partitions).every(
        ([partition, offset]) =>
          /^\d{1,6}$/.test(partition) && Number.isSafeInteger(offset) && Number(offset) >= 0,
      ),
  );
  return valid ? (content['p'] as Positions) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
