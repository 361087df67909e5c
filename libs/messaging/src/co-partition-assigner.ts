import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

/**
 * Gives partition p of EVERY topic to the same member: co-partitioned topics are read side by side. Members in
 * order of their ids take the partitions in turn.
 */
export const coPartitionAssigner: PartitionAssigner = ({ cluster }) => ({
  name: 'SociographCoPartitions',
  version: 1,
  protocol({ topics }) {
    return {
      name: this.name,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: this.version,
        topics,
        userData: Buffer.alloc(0),
      }),
    };
  },
  async assign({ members, topics }) {
    const partitions = topics.map((topic) => ({
      topic,
      ids: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
    }));
    return [...members.map(({ memberId }) => memberId)].sort().map((memberId, index) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: this.version,
        assignment: Object.fromEntries(
          partitions.map(({ topic, ids }) => [topic, ids.filter((id) => id % members.length === index)]),
        ),
        userData: Buffer.alloc(0),
      }),
    }));
  },
});
