import { certify, type ItemTally } from './certificate';
import { ImportJob } from './import-job';
import { USUAL_SCOPE } from './import-scope';

const job = ImportJob.start({
  id: 'import-1',
  workspaceId: 'demo',
  network: 'vk',
  seeds: ['1'],
  scope: USUAL_SCOPE,
  depth: null,
  peopleLimit: null,
  callsLimit: null,
  createdBy: 'someone',
  createdAt: 1,
}).absorb({ callsMade: 4, friendshipObservations: 12 }, 2).snapshot;

const tallies: ItemTally[] = [
  { kind: 'friends', standing: 'got', cause: null, detail: null, count: 7, people: [] },
  { kind: 'friends', standing: 'gap', cause: 'private', detail: null, count: 2, people: ['3', '4'] },
  { kind: 'profile', standing: 'got', cause: null, detail: null, count: 8, people: [] },
  { kind: 'profile', standing: 'gap', cause: 'unknown', detail: 'error 39', count: 1, people: ['9'] },
];

describe('a certificate', () => {
  it('says what was expected, what was got, and each gap with its cause', () => {
    expect(certify(job, tallies)).toEqual({
      importId: 'import-1',
      network: 'vk',
      state: 'running',
      final: true,
      expected: { people: 9, lists: 9 },
      got: { people: 8, lists: 7 },
      open: { people: 0, lists: 0 },
      kinds: [
        { what: 'person', expected: 9, got: 8, open: 0, gaps: 1 },
        { what: 'list', expected: 9, got: 7, open: 0, gaps: 2 },
      ],
      gaps: [
        { what: 'list', cause: 'private', count: 2, people: ['3', '4'] },
        { what: 'person', cause: 'unknown', detail: 'error 39', count: 1, people: ['9'] },
      ],
      callsMade: 4,
      friendshipObservations: 12,
    });
  });

  it.each(['profile', 'friends'] as const)('is not final while a %s is open', (kind) => {
    const open: ItemTally = { kind, standing: 'open', cause: null, detail: null, count: 5, people: [] };
    const certificate = certify(job, [...tallies, open]);
    expect(certificate.final).toBe(false);
    expect(certificate.open).toEqual(kind === 'profile' ? { people: 5, lists: 0 } : { people: 0, lists: 5 });
    expect(certificate.gaps).toHaveLength(2);
  });

  it('counts each kind by itself, all but people as lists together', () => {
    const one = (kind: ItemTally['kind'], standing: ItemTally['standing'], count: number): ItemTally => ({
      ...{ kind, standing, cause: standing === 'gap' ? 'hidden' : null, detail: null, count, people: [] },
    });
    const kinds = ['groups', 'subscriptions', 'wall', 'group', 'members', 'name'] as const;
    const certificate = certify(job, [
      ...kinds.flatMap((kind, index) => [one(kind, 'got', index + 1), one(kind, 'gap', 1)]),
      one('wall', 'open', 10),
    ]);
    expect(certificate.kinds).toEqual([
      { what: 'groups', expected: 2, got: 1, open: 0, gaps: 1 },
      { what: 'subscriptions', expected: 3, got: 2, open: 0, gaps: 1 },
      { what: 'wall', expected: 14, got: 3, open: 10, gaps: 1 },
      { what: 'group', expected: 5, got: 4, open: 0, gaps: 1 },
      { what: 'members', expected: 6, got: 5, open: 0, gaps: 1 },
      { what: 'name', expected: 7, got: 6, open: 0, gaps: 1 },
    ]);
    expect([certificate.expected, certificate.got]).toEqual([
      { people: 0, lists: 37 },
      { people: 0, lists: 21 },
    ]);
    expect(certificate.gaps.map(({ what }) => what)).toEqual([...kinds]);
  });
});
