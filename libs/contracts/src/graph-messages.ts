import { z } from 'zod';
import { externalId, fence, network, positions, stamp, timestampMs, workspaceId } from './fields';
import { defineMessage } from './message';
import { groupProfile, personProfile, postContent } from './social-messages';

/** The newest list that a vertex itself asserted; lists of others about it are theirs. */
export const ownList = z.object({
  ids: z.array(externalId).max(40_000),
  /** False until one complete list was seen: then absence from `ids` means nothing. */
  complete: z.boolean(),
  ...stamp,
});

export const vertexChanged = defineMessage({
  name: 'sociograph.graph.vertex-changed',
  version: 1,
  summary: 'What is now stored of one vertex as that vertex itself asserts it',
  schema: z.object({
    workspaceId,
    network,
    kind: z.enum(['user', 'group', 'post']),
    id: externalId,
    /** Rises with every stored change of this vertex. */
    version: z.number().int().positive(),
    changedAt: timestampMs,
    /** Absent while only a list of this vertex is known, not the vertex itself. */
    document: z
      .object({ state: z.enum(['active', 'deleted', 'banned']), profile: personProfile, ...stamp })
      .optional(),
    friends: ownList.optional(),
    /** Of people: groups that they belong to, pages and people that they follow, as they show it themselves. */
    groups: ownList.optional(),
    pages: ownList.optional(),
    follows: ownList.optional(),
    /** Of groups and posts, in place of `document`. */
    group: z
      .object({ state: z.enum(['active', 'deleted', 'banned']), profile: groupProfile, ...stamp })
      .optional(),
    post: z.object({ content: postContent, ...stamp }).optional(),
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    kind: 'user' as const,
    id: '107',
    version: 2,
    changedAt: 1795000000100,
    document: {
      state: 'active' as const,
      profile: { firstName: 'Vera', lastName: 'Orlova' },
      observedAt: 1795000000000,
      fence: 41,
    },
    friends: { ids: ['1', '58', '1684'], complete: true, observedAt: 1795000000000, fence: 42 },
  },
});

/**
 * A person who is not to be known any more. Names nobody: `mark` is an HMAC of workspace, network and id under the
 * platform's suppression key; whoever holds that key can ask whether an id is suppressed, nobody can list ids.
 */
export const personSuppressed = defineMessage({
  name: 'sociograph.graph.person-suppressed',
  version: 1,
  summary: 'A person was erased: whoever meets the id again drops it',
  schema: z.object({
    workspaceId,
    network,
    mark: z.string().regex(/^[0-9a-f]{64}$/),
    erasureId: z.string().min(1).max(64),
    at: timestampMs,
  }),
  example: {
    workspaceId: 'demo',
    network: 'vk',
    mark: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    erasureId: '01930f0e-7b1c-7000-8000-00000000000c',
    at: 1795000000300,
  },
});

export const inputMarked = defineMessage({
  name: 'sociograph.graph.input-marked',
  version: 1,
  summary:
    'Nothing changed, but the input of this partition is done up to the positions in the source header',
  schema: z.object({ partition: z.number().int().nonnegative() }),
  example: { partition: 3 },
});

export const viewApplied = defineMessage({
  name: 'sociograph.views.applied',
  version: 1,
  summary: 'A view has applied the input up to these positions: its rows are written, its caches invalidated',
  schema: z.object({
    view: z.string().regex(/^[a-z_]{1,64}$/),
    partition: z.number().int().nonnegative(),
    /** Positions in the social topics and in graph.changes, of this partition only. */
    appliedUpTo: positions,
    at: timestampMs,
    /** Fence of the writer that applied it; a lower one is out of date. */
    fence,
  }),
  example: {
    view: 'graph_summary',
    partition: 3,
    appliedUpTo: { 'sociograph.social.users.v1': { '3': 17 }, 'sociograph.graph.changes.v1': { '3': 12 } },
    at: 1795000000200,
    fence: 1,
  },
});
