import { decide, inOrder, type Member, type WorkspaceRole } from './members';

function member(subject: string, ...roles: WorkspaceRole[]): Member {
  return { subject, workspaceId: 'w', email: `${subject}@x`, roles, joinedAt: 0, version: 3, pending: false };
}

describe('a change of members', () => {
  const ada = member('ada', 'viewer', 'admin');
  const bob = member('bob', 'viewer');
  const eve = member('eve', 'admin');

  it('gives roles once each, in their order', () => {
    expect(decide([ada, bob], bob, { kind: 'roles', roles: ['admin', 'viewer', 'admin'] })).toEqual({
      roles: ['viewer', 'admin'],
      out: false,
    });
    expect(inOrder(['operator', 'analyst', 'viewer', 'operator'])).toEqual(['viewer', 'analyst', 'operator']);
  });

  it('is none when the roles are those of before', () => {
    expect(decide([ada], ada, { kind: 'roles', roles: ['admin', 'viewer'] })).toBeUndefined();
  });

  it('takes all roles of who is out', () => {
    expect(decide([ada, bob], bob, { kind: 'out' })).toEqual({ roles: [], out: true });
    expect(decide([ada, eve], ada, { kind: 'out' })).toEqual({ roles: [], out: true });
  });

  it.each([{ kind: 'out' } as const, { kind: 'roles', roles: ['viewer'] } as const])(
    'keeps the last admin (%p)',
    (change) => {
      expect(() => decide([ada, bob], ada, change)).toThrow(
        expect.objectContaining({ code: 'IDENTITY.LAST_ADMIN', kind: 'conflict' }),
      );
      expect(decide([ada, eve], ada, change)).toBeDefined();
    },
  );

  it('lets the last admin gain and lose other roles', () => {
    expect(decide([ada], ada, { kind: 'roles', roles: ['admin'] })).toEqual({ roles: ['admin'], out: false });
  });

  it('is refused where another version was seen', () => {
    expect(() => decide([ada, bob], bob, { kind: 'out' }, 2)).toThrow(
      expect.objectContaining({ code: 'IDENTITY.MEMBER_CHANGED', facts: { expected: 2, current: 3 } }),
    );
    expect(decide([ada, bob], bob, { kind: 'out' }, 3)).toEqual({ roles: [], out: true });
  });
});
