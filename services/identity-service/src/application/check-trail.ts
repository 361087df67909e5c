import { type Finding, type Head, type SealedEntry, type Sealing, TrailCheck } from '../domain/audit-chain';

export type HeadsByWorkspace = Map<string, Head[]>;

/** What the check reads of the database. */
export interface SealedTrail {
  sealedWorkspaces(): Promise<string[]>;
  sealed(workspaceId: string): AsyncIterable<SealedEntry>;
  unsealed(seconds: number): Promise<string[]>;
}

/** Every workspace that has rows, or of which a head tells: one whose rows are all gone, too. */
export async function checkTrail(
  trail: SealedTrail,
  heads: HeadsByWorkspace,
  sealing: Sealing,
  unsealedAfterSeconds: number,
): Promise<{ findings: Finding[]; rows: number; workspaces: number }> {
  const workspaces = [...new Set([...(await trail.sealedWorkspaces()), ...heads.keys()])].sort();
  const findings: Finding[] = [];
  let rows = 0;
  for (const workspaceId of workspaces) {
    // Heads are read before the rows: what is sealed meanwhile is beyond all of them.
    const check = new TrailCheck(workspaceId, heads.get(workspaceId) ?? [], sealing);
    for await (const row of trail.sealed(workspaceId)) {
      check.take(row);
      rows += 1;
    }
    findings.push(...check.end());
  }
  for (const workspaceId of await trail.unsealed(unsealedAfterSeconds))
    findings.push({ workspaceId, seq: 0, fault: 'unsealed' });
  return { findings, rows, workspaces: workspaces.length };
}
