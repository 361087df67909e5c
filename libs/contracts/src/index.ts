export { defineMessage, messageType } from './message';
export type { MessageDefinition, PayloadOf } from './message';
export {
  friendListObserved,
  groupObserved,
  groupProfile,
  membershipListClosed,
  membershipPageObserved,
  personProfile,
  postContent,
  postObserved,
  subscriptionListObserved,
  userObserved,
} from './social-messages';
export { inputMarked, ownList, personSuppressed, vertexChanged, viewApplied } from './graph-messages';
export {
  actionAudited,
  auditSealed,
  callRequested,
  importChanged,
  keyChanged,
  keyUsed,
} from './platform-messages';
export {
  callReport,
  capacityReply,
  pathReply,
  pathReport,
  capacityRequest,
  keyStateChanged,
  leaseDenialReason,
  leaseFrame,
  leaseFrameReply,
  leaseHello,
  leaseReply,
  leaseRequest,
  leaseWelcome,
  LONGEST_LEAD_MS,
  sendSlot,
  settleReply,
  settleRequest,
} from './lease-messages';
export type {
  CallReport,
  CapacityReply,
  PathReply,
  PathReport,
  CapacityRequest,
  KeyStateChanged,
  LeaseDenialReason,
  LeaseFrame,
  LeaseFrameReply,
  LeaseHello,
  LeaseReply,
  LeaseRequest,
  LeaseWelcome,
  SendSlot,
  SettleReply,
  SettleRequest,
} from './lease-messages';
export { MESSAGES, messageOfType } from './catalogue';
export {
  CONSUMER_GROUPS,
  deadLetterTopic,
  deadLetterTopics,
  FORGOTTEN_BY_IMPORTS,
  GRAPH_PARTITIONS,
  TOPICS,
  VIEWS,
} from './topics';
export type { TopicDefinition } from './topics';
export { comparePersonIds, friendshipKey, markerKey, recordKey, vertexKey } from './graph-keys';
export type { VertexKind } from './graph-keys';
export { wallOwnerOf } from './post-id';
export { decodePositions, encodePositions, mergePositions, positionsCover } from './positions';
export type { Positions } from './positions';
export { DEAD_LETTER_HEADERS, EVENT_HEADERS, TASK_HEADERS } from './event-headers';
export {
  callQueue,
  deadQueue,
  DELIVERY_LIMIT,
  EXCHANGES,
  LEASE_QUEUE,
  rabbitTopology,
  RETRY_LADDER,
  retryQueue,
  TASK_NETWORKS,
  taskQueueTopology,
  VHOST,
} from './rabbit-topology';
export type { BindingDefinition, QueueDefinition, Topology } from './rabbit-topology';
export { partitionOf } from './partitioner';
