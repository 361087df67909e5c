import { inputMarked, personSuppressed, vertexChanged, viewApplied } from './graph-messages';
import {
  capacityReply,
  pathReply,
  pathReport,
  capacityRequest,
  keyStateChanged,
  leaseHello,
  leaseReply,
  leaseRequest,
  leaseWelcome,
  settleReply,
  settleRequest,
} from './lease-messages';
import type { MessageDefinition } from './message';
import { messageType } from './message';
import {
  actionAudited,
  auditSealed,
  callRequested,
  importChanged,
  keyChanged,
  keyUsed,
} from './platform-messages';
import {
  friendListObserved,
  groupObserved,
  membershipListClosed,
  membershipPageObserved,
  postObserved,
  subscriptionListObserved,
  userObserved,
} from './social-messages';

/** Every message on Kafka, every task on RabbitMQ, and the lease protocol. */
export const MESSAGES: readonly MessageDefinition[] = [
  userObserved,
  friendListObserved,
  groupObserved,
  postObserved,
  membershipPageObserved,
  membershipListClosed,
  subscriptionListObserved,
  vertexChanged,
  personSuppressed,
  inputMarked,
  viewApplied,
  importChanged,
  keyChanged,
  keyUsed,
  actionAudited,
  auditSealed,
  callRequested,
  leaseHello,
  leaseWelcome,
  leaseRequest,
  leaseReply,
  settleRequest,
  settleReply,
  capacityRequest,
  capacityReply,
  pathReply,
  pathReport,
  keyStateChanged,
];

const byType = new Map(MESSAGES.map((message) => [messageType(message), message]));

/** The declaration behind a `ce_type`, or undefined for a type that nobody declared. */
export function messageOfType(type: string): MessageDefinition | undefined {
  return byType.get(type);
}
