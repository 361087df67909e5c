/** What a column holds; each warehouse has its own type for it. */
export type ColumnKind = 'text' | 'number' | 'flag' | 'texts';

/**
 * One table of the warehouse, as far as writing and erasing must know it. The files in `schema/` create it, with the
 * same columns; a spec compares them.
 */
export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** Identifies a row. */
  readonly key: readonly string[];
  /** Of two rows with the same key the higher one stays; none: rows with the same key are the same. */
  readonly newestBy: readonly string[];
  /** Columns that may be absent. */
  readonly optional: readonly string[];
  readonly people: {
    /** Columns with the id of a person: the row goes with the person. */
    readonly rows: readonly string[];
    /** Columns with ids of people: the id goes. */
    readonly lists: readonly string[];
    /** Columns that name a post, which begins with its owner's id up to the last underscore: the text goes. */
    readonly posts: readonly string[];
  };
}

export type Row = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

const NOBODY = { rows: [], lists: [], posts: [] } as const;
const SCOPE = { workspace_id: 'text', network: 'text' } as const;
const STAMP = { observed_at: 'number', fence: 'number', import_id: 'text', call_id: 'text' } as const;
const NEWEST = ['observed_at', 'fence'] as const;

const profile = {
  first_name: 'text',
  last_name: 'text',
  screen_name: 'text',
  sex: 'text',
  birth_date: 'text',
  city: 'text',
  country: 'text',
  closed: 'flag',
} as const;
const PROFILE_OPTIONAL = ['screen_name', 'sex', 'birth_date', 'city', 'country', 'closed'];

function table<T extends Table>(definition: T): T {
  return Object.freeze(definition);
}

/** Every table, by the topic that fills it. Moments are milliseconds since the Unix epoch. */
export const TABLES = {
  /** users: the newest snapshot of each person. */
  people: table({
    name: 'people',
    columns: { ...SCOPE, id: 'text', state: 'text', ...profile, ...STAMP },
    key: ['workspace_id', 'network', 'id'],
    newestBy: NEWEST,
    optional: PROFILE_OPTIONAL,
    people: { ...NOBODY, rows: ['id'] },
  }),
  /** friend-lists: every observation of a list, also those that showed nothing. */
  friendLists: table({
    name: 'friend_lists',
    columns: { ...SCOPE, user_id: 'text', outcome: 'text', total: 'number', friend_ids: 'texts', ...STAMP },
    key: ['workspace_id', 'network', 'user_id', 'observed_at', 'fence'],
    newestBy: [],
    optional: ['total'],
    people: { ...NOBODY, rows: ['user_id'], lists: ['friend_ids'] },
  }),
  /** groups: the newest snapshot of each group. */
  groups: table({
    name: 'communities',
    columns: {
      ...SCOPE,
      id: 'text',
      state: 'text',
      name: 'text',
      screen_name: 'text',
      kind: 'text',
      closed: 'text',
      members_count: 'number',
      ...STAMP,
    },
    key: ['workspace_id', 'network', 'id'],
    newestBy: NEWEST,
    optional: ['screen_name', 'kind', 'closed', 'members_count'],
    people: NOBODY,
  }),
  /** posts: the newest snapshot of each post. */
  posts: table({
    name: 'posts',
    columns: {
      ...SCOPE,
      id: 'text',
      owner_kind: 'text',
      owner_id: 'text',
      owner_person_id: 'text',
      author_id: 'text',
      published_at: 'number',
      body: 'text',
      likes: 'number',
      reposts: 'number',
      comments: 'number',
      views: 'number',
      repost_of: 'text',
      ...STAMP,
    },
    key: ['workspace_id', 'network', 'id'],
    newestBy: NEWEST,
    optional: ['owner_person_id', 'author_id', 'likes', 'reposts', 'comments', 'views', 'repost_of'],
    people: { rows: ['owner_person_id', 'author_id'], lists: [], posts: ['repost_of'] },
  }),
  /** memberships: pages of the walks through groups; absence may be concluded only from a closed list. */
  membershipPages: table({
    name: 'membership_pages',
    columns: {
      ...SCOPE,
      group_id: 'text',
      list_id: 'text',
      part: 'number',
      member_ids: 'texts',
      ...STAMP,
    },
    key: ['workspace_id', 'network', 'group_id', 'list_id', 'part'],
    newestBy: NEWEST,
    optional: [],
    people: { ...NOBODY, lists: ['member_ids'] },
  }),
  /** memberships: the records that close a walk. */
  membershipLists: table({
    name: 'membership_lists',
    columns: {
      ...SCOPE,
      group_id: 'text',
      list_id: 'text',
      parts: 'number',
      members: 'number',
      complete: 'flag',
      ...STAMP,
    },
    key: ['workspace_id', 'network', 'group_id', 'list_id'],
    newestBy: NEWEST,
    optional: [],
    people: NOBODY,
  }),
  /** subscriptions: every observation of what a person belongs to or follows. */
  subscriptionLists: table({
    name: 'subscription_lists',
    columns: {
      ...SCOPE,
      user_id: 'text',
      list: 'text',
      outcome: 'text',
      total: 'number',
      people_ids: 'texts',
      community_ids: 'texts',
      ...STAMP,
    },
    key: ['workspace_id', 'network', 'user_id', 'list', 'observed_at', 'fence'],
    newestBy: [],
    optional: ['total'],
    people: { ...NOBODY, rows: ['user_id'], lists: ['people_ids'] },
  }),
  /** graph.changes: what graph-storage keeps of each person; the graph of the questions. */
  storedPeople: table({
    name: 'stored_people',
    columns: {
      ...SCOPE,
      id: 'text',
      version: 'number',
      changed_at: 'number',
      state: 'text',
      first_name: 'text',
      last_name: 'text',
      friend_ids: 'texts',
      friends_complete: 'flag',
      group_ids: 'texts',
      page_ids: 'texts',
      follow_ids: 'texts',
    },
    key: ['workspace_id', 'network', 'id'],
    newestBy: ['version'],
    optional: ['state', 'first_name', 'last_name', 'friends_complete'],
    people: { ...NOBODY, rows: ['id'], lists: ['friend_ids', 'follow_ids'] },
  }),
  /** imports: each step of an import's life. */
  importSteps: table({
    name: 'import_steps',
    columns: {
      ...SCOPE,
      import_id: 'text',
      event_id: 'text',
      happened_at: 'number',
      state: 'text',
      people_known: 'number',
      people_done: 'number',
      lists_known: 'number',
      lists_done: 'number',
      calls_made: 'number',
      gaps: 'number',
    },
    key: ['workspace_id', 'import_id', 'event_id'],
    newestBy: [],
    optional: [],
    people: NOBODY,
  }),
  /** keys: each step of a key's life; never a token. */
  keyChanges: table({
    name: 'key_changes',
    columns: {
      ...SCOPE,
      key_id: 'text',
      event_id: 'text',
      happened_at: 'number',
      kind: 'text',
      state: 'text',
      change: 'text',
      version: 'number',
    },
    key: ['workspace_id', 'key_id', 'event_id'],
    newestBy: [],
    optional: ['change'],
    people: NOBODY,
  }),
  /** keys: calls made with a key in an interval, by method. */
  keyUses: table({
    name: 'key_uses',
    columns: {
      ...SCOPE,
      key_id: 'text',
      event_id: 'text',
      method: 'text',
      from_ms: 'number',
      to_ms: 'number',
      calls: 'number',
    },
    key: ['workspace_id', 'key_id', 'event_id', 'method'],
    newestBy: [],
    optional: [],
    people: NOBODY,
  }),
} as const satisfies Record<string, Table>;

export const ALL_TABLES: readonly Table[] = Object.values(TABLES);
