export const EXPORT_FORMATS = ['gexf', 'graphml', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What of a workspace's graph of one network goes into the file. */
export type ExportSubject =
  | { kind: 'graph' }
  /** What this import saw, as it is today. */
  | { kind: 'import'; importId: string }
  /** The people within `depth` steps of one, nearest first, at most `nodes` of them, and the friendships among those. */
  | { kind: 'surroundings'; person: string; depth: number; nodes: number };

/** Times in milliseconds since the Unix epoch. `file` is a place in the store; an attempt has a file of its own. */
export type ExportState =
  | { kind: 'waiting'; notBefore: number }
  | { kind: 'running'; by: string; until: number; startedAt: number; file: string }
  | { kind: 'ready'; file: string; bytes: number; complete: boolean; startedAt: number; finishedAt: number }
  | { kind: 'failed'; code: string; message: string; finishedAt: number };

export interface Export {
  id: string;
  workspaceId: string;
  network: string;
  subject: ExportSubject;
  format: ExportFormat;
  requestedAt: number;
  /** From then on it does not exist any more. */
  expiresAt: number;
  /** How often it was begun. */
  attempts: number;
  /** Read so far; what the file holds once it is ready. */
  people: number;
  friendships: number;
  state: ExportState;
}

export interface ExportFault {
  code: string;
  message: string;
}

/** What is in the file. */
export interface ExportResult {
  people: number;
  friendships: number;
  bytes: number;
  /** False when people within the distance were left out. */
  complete: boolean;
}

export const EXPORT_KEPT_MS = 24 * 60 * 60 * 1000;
/** A process that has not spoken up for this long is taken for dead. */
export const EXPORT_CLAIM_MS = 60_000;
export const EXPORT_ATTEMPTS = 5;
const FIRST_DELAY_MS = 5_000;

export function requestedExport(
  wanted: Pick<Export, 'id' | 'workspaceId' | 'network' | 'subject' | 'format'>,
  now: number,
): Export {
  return {
    ...wanted,
    requestedAt: now,
    expiresAt: now + EXPORT_KEPT_MS,
    attempts: 0,
    people: 0,
    friendships: 0,
    state: { kind: 'waiting', notBefore: now },
  };
}

/** True when a process may begin it: it waits, or whoever had it is gone. */
export function isDue({ state }: Export, now: number): boolean {
  if (state.kind === 'waiting') return state.notBefore <= now;
  return state.kind === 'running' && state.until <= now;
}

/** The oldest that is due in a workspace where fewer than `perWorkspace` are being made. */
export function nextExport(open: readonly Export[], perWorkspace: number, now: number): Export | undefined {
  const busy = new Map<string, number>();
  for (const { workspaceId, state } of open) {
    const alive = state.kind === 'running' && state.until > now;
    if (alive) busy.set(workspaceId, (busy.get(workspaceId) ?? 0) + 1);
  }
  return [...open]
    .sort((a, b) => a.requestedAt - b.requestedAt || (a.id < b.id ? -1 : 1))
    .find((one) => isDue(one, now) && (busy.get(one.workspaceId) ?? 0) < perWorkspace);
}

/** Begun by the one who calls itself `by`; failed for good after too many attempts. */
export function takenExport(wanted: Export, by: string, now: number): Export {
  if (wanted.attempts >= EXPORT_ATTEMPTS) return failedExport(wanted, gaveUp(wanted.attempts), now);
  return {
    ...wanted,
    attempts: wanted.attempts + 1,
    people: 0,
    friendships: 0,
    state: {
      kind: 'running',
      by,
      until: now + EXPORT_CLAIM_MS,
      startedAt: now,
      file: `${wanted.workspaceId}/${by}.${EXPORT_FILES[wanted.format].extension}`,
    },
  };
}

export function isHeldBy({ state }: Export, by: string): boolean {
  return state.kind === 'running' && state.by === by;
}

/** Its maker is alive and has read this much. */
export function progressedExport(
  held: Export,
  counts: { people: number; friendships: number },
  now: number,
): Export {
  if (held.state.kind !== 'running') return held;
  return { ...held, ...counts, state: { ...held.state, until: now + EXPORT_CLAIM_MS } };
}

export function finishedExport(held: Export, result: ExportResult, now: number): Export {
  if (held.state.kind !== 'running') return held;
  const { startedAt, file } = held.state;
  const { people, friendships, bytes, complete } = result;
  return {
    ...held,
    people,
    friendships,
    expiresAt: now + EXPORT_KEPT_MS,
    state: { kind: 'ready', file, bytes, complete, startedAt, finishedAt: now },
  };
}

export function failedExport(held: Export, { code, message }: ExportFault, now: number): Export {
  return {
    ...held,
    expiresAt: now + EXPORT_KEPT_MS,
    state: { kind: 'failed', code, message, finishedAt: now },
  };
}

/** A server was away: later again, each time twice as late; failed for good after too many attempts. */
export function postponedExport(held: Export, fault: ExportFault, now: number): Export {
  if (held.attempts >= EXPORT_ATTEMPTS) return failedExport(held, fault, now);
  const delay = FIRST_DELAY_MS * 2 ** (held.attempts - 1);
  return { ...held, people: 0, friendships: 0, state: { kind: 'waiting', notBefore: now + delay } };
}

/** Given back by a process that stops, or to be made anew because the graph lost someone: it was no failed attempt. */
export function startedOverExport(held: Export, now: number): Export {
  return {
    ...held,
    attempts: Math.max(0, held.attempts - 1),
    people: 0,
    friendships: 0,
    state: { kind: 'waiting', notBefore: now },
  };
}

/** The file that exists or may exist of it. */
export function fileOf({ state }: Export): string | undefined {
  return state.kind === 'running' || state.kind === 'ready' ? state.file : undefined;
}

/** How the file of a format is called and what it is. */
export const EXPORT_FILES = {
  gexf: { extension: 'gexf', mediaType: 'application/gexf+xml' },
  graphml: { extension: 'graphml', mediaType: 'application/graphml+xml' },
  csv: { extension: 'csv.zip', mediaType: 'application/zip' },
  parquet: { extension: 'parquet.zip', mediaType: 'application/zip' },
} as const satisfies Record<ExportFormat, { extension: string; mediaType: string }>;

export function exportFileName({ id, network, format }: Pick<Export, 'id' | 'network' | 'format'>): string {
  return `${network}-${id}.${EXPORT_FILES[format].extension}`;
}

function gaveUp(attempts: number): ExportFault {
  return { code: 'EXPORT.GAVE_UP', message: `It was begun ${attempts} times and never finished.` };
}
