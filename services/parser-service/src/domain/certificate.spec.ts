import { certify, type ItemTally } from './certificate';
import { ImportJob } from './import-job';

const job = ImportJob.start({
  id: 'import-1',
  workspaceId: 'demo',
  network: 'vk',
  seeds: ['1'],
  depth: null,
  peopleLimit: null,
  callsLimit: null,
  createdBy: 'someone',
  createdAt: 1,
}).absorb({ callsMade: 4, friendshipObservations: 12 }, 2).snapshot;

const tallies: ItemTally[] = [
  { kind: 'friends', standing: 'got', cause: null, count: 7, people: [] },
  { kind: 'friends', standing: 'gap', cause: 'private', count: 2, people: ['3', '4'] },
  { kind: 'profile', standing: 'got', cause: null, count: 8, people: [] },
  { kind: 'profile', standing: 'gap', cause: 'unknown', count: 1, people: ['9'] },
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
      gaps: [
        { what: 'list', cause: 'private', count: 2, people: ['3', '4'] },
        { what: 'person', cause: 'unknown', count: 1, people: ['9'] },
      ],
      callsMade: 4,
      friendshipObservations: 12,
    });
  });

  it.each(['profile', 'friends'] as const)('is not final while a %s is open', (kind) => {
    const open: ItemTally = { kind, standing: 'open', cause: null, count: 5, people: [] };
    const certificate = certify(job, [...tallies, open]);
    expect(certificate.final).toBe(false);
    expect(certificate.open).toEqual(kind === 'profile' ? { people: 5, lists: 0 } : { people: 0, lists: 5 });
    expect(certificate.gaps).toHaveLength(2);
  });
});
