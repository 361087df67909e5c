import { AssignerProtocol, type Assigner, type Cluster, type Logger } from 'kafkajs';
import { coPartitionAssigner } from './co-partition-assigner';

function assigner(counts: Record<string, number>): Assigner {
  const cluster = {
    findTopicPartitionMetadata: (topic: string) =>
      Array.from({ length: counts[topic] ?? 0 }, (_, partitionId) => ({ partitionId })),
  } as unknown as Cluster;
  return coPartitionAssigner({ cluster, groupId: 'group', logger: {} as Logger });
}

async function assign(
  counts: Record<string, number>,
  memberIds: string[],
): Promise<Record<string, Record<string, number[]> | undefined>> {
  const members = memberIds.map((memberId) => ({ memberId, memberMetadata: Buffer.alloc(0) }));
  const answer = await assigner(counts).assign({ members, topics: Object.keys(counts) });
  return Object.fromEntries(
    answer.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment,
    ]),
  );
}

describe('coPartitionAssigner', () => {
  it('gives partition p of every topic to the same member, members taking turns by id', async () => {
    expect(await assign({ users: 5, lists: 5 }, ['b', 'a'])).toEqual({
      a: { users: [0, 2, 4], lists: [0, 2, 4] },
      b: { users: [1, 3], lists: [1, 3] },
    });
  });

  it('keeps them together where one topic has fewer partitions, and leaves surplus members without', async () => {
    expect(await assign({ users: 2, lists: 1 }, ['a', 'b', 'c'])).toEqual({
      a: { users: [0], lists: [0] },
      b: { users: [1], lists: [] },
      c: { users: [], lists: [] },
    });
  });

  it('names its protocol and the topics of the member', () => {
    const { name, metadata } = assigner({}).protocol({ topics: ['users', 'lists'] });
    expect(name).toBe('SociographCoPartitions');
    const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
    expect(decoded).toMatchObject({ version: 1, topics: ['users', 'lists'] });
  });
});
