import { z } from 'zod';
import { externalId, lineage, network, stamp, workspaceId } from './fields';
import { defineMessage } from './message';

/** What a network said of one person. Every field beyond the names is imported only when the import asks for it. */
export const personProfile = z.object({
  firstName: z.string().max(256),
  lastName: z.string().max(256),
  screenName: z.string().max(256).optional(),
  sex: z.enum(['female', 'male', 'unknown']).optional(),
  birthDate: z.string().max(16).optional(),
  city: z.string().max(256).optional(),
  country: z.string().max(256).optional(),
  /** True when only friends may see the person's lists. */
  closed: z.boolean().optional(),
});

export const userObserved = defineMessage({
  name: 'sociograph.social.user-observed',
  version: 1,
  summary: 'Snapshot of one person as a network showed it',
  schema: z.object({
    workspaceId,
    network,
    userId: externalId,
    ...stamp,
    source: lineage,
    state: z.enum(['active', 'deleted', 'banned']),
    profile: personProfile,
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    userId: '107',
    observedAt: 1795000000000,
    fence: 41,
    source: {
      importId: '01930f0e-7b1c-7000-8000-000000000001',
      callId: '01930f0e-7b1c-7000-8000-000000000002',
    },
    state: 'active',
    profile: { firstName: 'Vera', lastName: 'Orlova', closed: false },
  },
});

export const friendListObserved = defineMessage({
  name: 'sociograph.social.friend-list-observed',
  version: 1,
  summary: 'The whole friend list of one person as observed at one moment, or why it could not be seen',
  schema: z.object({
    workspaceId,
    network,
    userId: externalId,
    ...stamp,
    source: lineage,
    /**
     * `complete`: the list is all of it. `partial`: it only adds. `private`, `hidden`: nothing was seen, no
     * assertion changes. `deleted`: the person is gone and with it what that person asserted.
     */
    outcome: z.enum(['complete', 'partial', 'private', 'hidden', 'deleted']),
    /** Total that the network claims, where it differs from the ids given. */
    total: z.number().int().nonnegative().optional(),
    friendIds: z.array(externalId).max(20_000),
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    userId: '107',
    observedAt: 1795000000000,
    fence: 42,
    source: {
      importId: '01930f0e-7b1c-7000-8000-000000000001',
      callId: '01930f0e-7b1c-7000-8000-000000000003',
    },
    outcome: 'complete',
    friendIds: ['1', '58', '1684'],
  },
});

const vertexState = z.enum(['active', 'deleted', 'banned']);

/** What a network said of one group. */
export const groupProfile = z.object({
  name: z.string().max(1024),
  screenName: z.string().max(256).optional(),
  kind: z.enum(['group', 'page', 'event']).optional(),
  closed: z.enum(['open', 'closed', 'private']).optional(),
  membersCount: z.number().int().nonnegative().optional(),
});

/** What a network said of one post. */
export const postContent = z.object({
  ownerKind: z.enum(['user', 'group']),
  ownerId: externalId,
  authorId: externalId.optional(),
  publishedAt: z.number().int().nonnegative(),
  text: z.string().max(100_000),
  likes: z.number().int().nonnegative().optional(),
  reposts: z.number().int().nonnegative().optional(),
  comments: z.number().int().nonnegative().optional(),
  views: z.number().int().nonnegative().optional(),
  repostOf: z.string().max(128).optional(),
});

export const groupObserved = defineMessage({
  name: 'sociograph.social.group-observed',
  version: 1,
  summary: 'Snapshot of one group',
  schema: z.object({
    workspaceId,
    network,
    groupId: externalId,
    ...stamp,
    source: lineage,
    state: vertexState,
    ...groupProfile.shape,
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    groupId: '22822305',
    observedAt: 1795000000000,
    fence: 43,
    source: {
      importId: '01930f0e-7b1c-7000-8000-000000000001',
      callId: '01930f0e-7b1c-7000-8000-000000000004',
    },
    state: 'active',
    name: 'Chess',
    kind: 'group',
    closed: 'open',
  },
});

export const postObserved = defineMessage({
  name: 'sociograph.social.post-observed',
  version: 1,
  summary: 'Snapshot of one post on the wall of a person or a group',
  schema: z.object({
    workspaceId,
    network,
    /** Owner and number on that owner's wall, joined by an underscore. */
    postId: z.string().regex(/^-?[A-Za-z0-9]{1,64}_\d{1,20}$/),
    ...stamp,
    source: lineage,
    ...postContent.shape,
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    postId: '107_17',
    observedAt: 1795000000000,
    fence: 44,
    source: {
      importId: '01930f0e-7b1c-7000-8000-000000000001',
      callId: '01930f0e-7b1c-7000-8000-000000000005',
    },
    ownerKind: 'user',
    ownerId: '107',
    publishedAt: 1794990000000,
    text: 'First snow',
  },
});

export const membershipPageObserved = defineMessage({
  name: 'sociograph.social.membership-page-observed',
  version: 1,
  summary: 'One page of the members of a group; absence may be concluded only from the closing record',
  schema: z.object({
    workspaceId,
    network,
    groupId: externalId,
    ...stamp,
    source: lineage,
    /** All pages of one walk through the members bear the same list id. */
    listId: z.string().min(1).max(64),
    part: z.number().int().nonnegative(),
    memberIds: z.array(externalId).max(30_000),
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    groupId: '22822305',
    observedAt: 1795000000000,
    fence: 45,
    source: {
      importId: '01930f0e-7b1c-7000-8000-000000000001',
      callId: '01930f0e-7b1c-7000-8000-000000000006',
    },
    listId: '01930f0e-7b1c-7000-8000-000000000007',
    part: 0,
    memberIds: ['107', '1684'],
  },
});

export const membershipListClosed = defineMessage({
  name: 'sociograph.social.membership-list-closed',
  version: 1,
  summary: 'Closes the pages of one walk through the members of a group',
  schema: z.object({
    workspaceId,
    network,
    groupId: externalId,
    ...stamp,
    source: lineage,
    listId: z.string().min(1).max(64),
    parts: z.number().int().nonnegative(),
    count: z.number().int().nonnegative(),
    complete: z.boolean(),
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    groupId: '22822305',
    observedAt: 1795000000000,
    fence: 46,
    source: {
      importId: '01930f0e-7b1c-7000-8000-000000000001',
      callId: '01930f0e-7b1c-7000-8000-000000000006',
    },
    listId: '01930f0e-7b1c-7000-8000-000000000007',
    parts: 1,
    count: 2,
    complete: true,
  },
});

export const subscriptionListObserved = defineMessage({
  name: 'sociograph.social.subscription-list-observed',
  version: 1,
  summary:
    'The whole list of what one person belongs to or follows, as observed, or why it could not be seen',
  schema: z.object({
    workspaceId,
    network,
    userId: externalId,
    ...stamp,
    source: lineage,
    /** Groups that the person is a member of; pages or people that the person follows. One list each, never mixed. */
    list: z.enum(['groups', 'pages', 'people']),
    /** As for friend lists: `partial` only adds, `private` and `hidden` change nothing, `deleted` ends the list. */
    outcome: z.enum(['complete', 'partial', 'private', 'hidden', 'deleted']),
    /** Total that the network claims, where it differs from the ids given. */
    total: z.number().int().nonnegative().optional(),
    ids: z.array(externalId).max(20_000),
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    userId: '107',
    observedAt: 1795000000000,
    fence: 47,
    source: {
      importId: '01930f0e-7b1c-7000-8000-000000000001',
      callId: '01930f0e-7b1c-7000-8000-000000000008',
    },
    list: 'groups' as const,
    outcome: 'complete' as const,
    ids: ['22822305'],
  },
});
