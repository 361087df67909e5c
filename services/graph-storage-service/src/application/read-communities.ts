import { groupUnknown, personUnknown, postUnknown } from '../domain/errors';
import type { PersonRef } from '../domain/observation';
import { GraphQueries } from '../domain/ports';
import { CommunityQueries, type PostPlace, type SubscriptionPage } from '../domain/query-ports';
import type { SubscriptionList } from '../domain/subscription';
import type { Vertex } from '../domain/vertex';

interface Place {
  limit: number;
  after: string | undefined;
}

/** Groups, posts and who belongs to what. */
export class ReadCommunities {
  constructor(
    private readonly queries: CommunityQueries,
    private readonly people: GraphQueries,
  ) {}

  async group(ref: PersonRef): Promise<Vertex> {
    const group = await this.queries.vertex('group', ref);
    if (!group) throw groupUnknown(ref);
    return group;
  }

  async post(ref: PersonRef): Promise<Vertex> {
    const post = await this.queries.vertex('post', ref);
    if (!post) throw postUnknown(ref);
    return post;
  }

  /** What a person belongs to or follows, also of one that only walks through members know. */
  async subscriptions(person: PersonRef, list: SubscriptionList, place: Place): Promise<SubscriptionPage> {
    const page = await this.queries.subscriptionsOf(person, list, place);
    if (page.items.length === 0 && place.after === undefined) await this.#insistOnPerson(person);
    return page;
  }

  /** Members (`groups`) or followers (`pages`), also of a group that only people's lists know. */
  async subscribers(group: PersonRef, list: 'groups' | 'pages', place: Place): Promise<SubscriptionPage> {
    const page = await this.queries.subscribersOf(group, list, place);
    if (page.items.length === 0 && place.after === undefined) await this.#insistOnGroup(group);
    return page;
  }

  /** Newest first. */
  async posts(
    owner: { kind: 'user' | 'group'; ref: PersonRef },
    place: { limit: number; after: PostPlace | undefined },
  ): Promise<{ items: Vertex[]; next: PostPlace | undefined }> {
    const page = await this.queries.postsOf(owner, place);
    if (page.items.length > 0 || place.after !== undefined) return page;
    if (owner.kind === 'user') await this.#insistOnPerson(owner.ref);
    else await this.#insistOnGroup(owner.ref);
    return page;
  }

  /** Whoever stands on somebody's list is known. */
  async #insistOnPerson(ref: PersonRef): Promise<void> {
    if (await this.people.person(ref)) return;
    const one = { limit: 1, after: undefined };
    if ((await this.people.friendshipsOf(ref, one)).items.length > 0) return;
    for (const list of ['groups', 'pages', 'people'] as const)
      if ((await this.queries.subscriptionsOf(ref, list, one)).items.length > 0) return;
    if ((await this.queries.subscribersOf(ref, 'people', one)).items.length > 0) return;
    throw personUnknown(ref);
  }

  async #insistOnGroup(ref: PersonRef): Promise<void> {
    if (await this.queries.vertex('group', ref)) return;
    const one = { limit: 1, after: undefined };
    for (const list of ['groups', 'pages'] as const)
      if ((await this.queries.subscribersOf(ref, list, one)).items.length > 0) return;
    throw groupUnknown(ref);
  }
}
