-- Tables of the warehouse in ClickHouse. Rows with the same key are replaced by the newest when parts are merged; until then
-- they lie side by side, hence FINAL in the views. Moments are milliseconds since the Unix epoch; one beyond 2100 is a fault
-- of who wrote it.

CREATE TABLE IF NOT EXISTS people (
  workspace_id String,
  network LowCardinality(String),
  id String,
  state LowCardinality(String),
  first_name String,
  last_name String,
  screen_name Nullable(String),
  sex LowCardinality(Nullable(String)),
  birth_date Nullable(String),
  city Nullable(String),
  country Nullable(String),
  closed Nullable(Bool),
  observed_at UInt64,
  fence UInt64,
  import_id String,
  call_id String,
  newness UInt128 MATERIALIZED bitShiftLeft(toUInt128(observed_at), 64) + fence,
  CONSTRAINT plausible CHECK observed_at < 4102444800000
) ENGINE = ReplacingMergeTree(newness) ORDER BY (workspace_id, network, id);

CREATE TABLE IF NOT EXISTS friend_lists (
  workspace_id String,
  network LowCardinality(String),
  user_id String,
  outcome LowCardinality(String),
  total Nullable(UInt64),
  friend_ids Array(String),
  observed_at UInt64,
  fence UInt64,
  import_id String,
  call_id String,
  CONSTRAINT plausible CHECK observed_at < 4102444800000
) ENGINE = ReplacingMergeTree ORDER BY (workspace_id, network, user_id, observed_at, fence);

CREATE TABLE IF NOT EXISTS communities (
  workspace_id String,
  network LowCardinality(String),
  id String,
  state LowCardinality(String),
  name String,
  screen_name Nullable(String),
  kind LowCardinality(Nullable(String)),
  closed LowCardinality(Nullable(String)),
  members_count Nullable(UInt64),
  observed_at UInt64,
  fence UInt64,
  import_id String,
  call_id String,
  newness UInt128 MATERIALIZED bitShiftLeft(toUInt128(observed_at), 64) + fence,
  CONSTRAINT plausible CHECK observed_at < 4102444800000
) ENGINE = ReplacingMergeTree(newness) ORDER BY (workspace_id, network, id);

CREATE TABLE IF NOT EXISTS posts (
  workspace_id String,
  network LowCardinality(String),
  id String,
  owner_kind LowCardinality(String),
  owner_id String,
  owner_person_id Nullable(String),
  author_id Nullable(String),
  published_at UInt64,
  body String,
  likes Nullable(UInt64),
  reposts Nullable(UInt64),
  comments Nullable(UInt64),
  views Nullable(UInt64),
  repost_of Nullable(String),
  observed_at UInt64,
  fence UInt64,
  import_id String,
  call_id String,
  newness UInt128 MATERIALIZED bitShiftLeft(toUInt128(observed_at), 64) + fence,
  CONSTRAINT plausible CHECK observed_at < 4102444800000
) ENGINE = ReplacingMergeTree(newness) ORDER BY (workspace_id, network, id);

CREATE TABLE IF NOT EXISTS membership_pages (
  workspace_id String,
  network LowCardinality(String),
  group_id String,
  list_id String,
  part UInt64,
  member_ids Array(String),
  observed_at UInt64,
  fence UInt64,
  import_id String,
  call_id String,
  newness UInt128 MATERIALIZED bitShiftLeft(toUInt128(observed_at), 64) + fence,
  CONSTRAINT plausible CHECK observed_at < 4102444800000
) ENGINE = ReplacingMergeTree(newness) ORDER BY (workspace_id, network, group_id, list_id, part);

CREATE TABLE IF NOT EXISTS membership_lists (
  workspace_id String,
  network LowCardinality(String),
  group_id String,
  list_id String,
  parts UInt64,
  members UInt64,
  complete Bool,
  observed_at UInt64,
  fence UInt64,
  import_id String,
  call_id String,
  newness UInt128 MATERIALIZED bitShiftLeft(toUInt128(observed_at), 64) + fence,
  CONSTRAINT plausible CHECK observed_at < 4102444800000
) ENGINE = ReplacingMergeTree(newness) ORDER BY (workspace_id, network, group_id, list_id);

CREATE TABLE IF NOT EXISTS subscription_lists (
  workspace_id String,
  network LowCardinality(String),
  user_id String,
  list LowCardinality(String),
  outcome LowCardinality(String),
  total Nullable(UInt64),
  people_ids Array(String),
  community_ids Array(String),
  observed_at UInt64,
  fence UInt64,
  import_id String,
  call_id String,
  CONSTRAINT plausible CHECK observed_at < 4102444800000
) ENGINE = ReplacingMergeTree ORDER BY (workspace_id, network, user_id, list, observed_at, fence);

CREATE TABLE IF NOT EXISTS stored_people (
  workspace_id String,
  network LowCardinality(String),
  id String,
  version UInt64,
  changed_at UInt64,
  state LowCardinality(Nullable(String)),
  first_name Nullable(String),
  last_name Nullable(String),
  friend_ids Array(String),
  friends_complete Nullable(Bool),
  group_ids Array(String),
  page_ids Array(String),
  follow_ids Array(String),
  CONSTRAINT plausible CHECK changed_at < 4102444800000
) ENGINE = ReplacingMergeTree(version) ORDER BY (workspace_id, network, id);

CREATE TABLE IF NOT EXISTS import_steps (
  workspace_id String,
  network LowCardinality(String),
  import_id String,
  event_id String,
  happened_at UInt64,
  state LowCardinality(String),
  people_known UInt64,
  people_done UInt64,
  lists_known UInt64,
  lists_done UInt64,
  calls_made UInt64,
  gaps UInt64,
  CONSTRAINT plausible CHECK happened_at < 4102444800000
) ENGINE = ReplacingMergeTree ORDER BY (workspace_id, import_id, event_id);

CREATE TABLE IF NOT EXISTS key_changes (
  workspace_id String,
  network LowCardinality(String),
  key_id String,
  event_id String,
  happened_at UInt64,
  kind LowCardinality(String),
  state LowCardinality(String),
  change LowCardinality(Nullable(String)),
  version UInt64,
  CONSTRAINT plausible CHECK happened_at < 4102444800000
) ENGINE = ReplacingMergeTree ORDER BY (workspace_id, key_id, event_id);

CREATE TABLE IF NOT EXISTS key_uses (
  workspace_id String,
  network LowCardinality(String),
  key_id String,
  event_id String,
  method LowCardinality(String),
  from_ms UInt64,
  to_ms UInt64,
  calls UInt64,
  CONSTRAINT plausible CHECK to_ms < 4102444800000
) ENGINE = ReplacingMergeTree ORDER BY (workspace_id, key_id, event_id, method);

-- What the questions are asked of. A person is somebody whose document is stored, as in docs of read-model-projector.
CREATE OR REPLACE VIEW graph_people AS
SELECT workspace_id, network, id, state, first_name, last_name, coalesce(friends_complete, false) AS friends_complete
FROM stored_people FINAL
WHERE state IS NOT NULL;

-- One row for each friendship between two people, ends in the order of their ids as texts; `sides` is how many of the
-- two name the other in their own list.
CREATE OR REPLACE VIEW graph_friendships AS
SELECT workspace_id, network,
       CASE WHEN id < friend_id THEN id ELSE friend_id END AS low_id,
       CASE WHEN id < friend_id THEN friend_id ELSE id END AS high_id,
       count(DISTINCT id) AS sides
FROM (
  SELECT workspace_id, network, id, arrayJoin(friend_ids) AS friend_id FROM stored_people FINAL WHERE state IS NOT NULL
) AS named
WHERE id <> friend_id
  AND (workspace_id, network, friend_id) IN (
    SELECT workspace_id, network, id FROM stored_people FINAL WHERE state IS NOT NULL
  )
GROUP BY workspace_id, network, low_id, high_id;

-- Members of groups: of each group's newest complete walk, and the people who show the membership themselves.
CREATE OR REPLACE VIEW graph_members AS
SELECT workspace_id, network, group_id, arrayJoin(member_ids) AS user_id
FROM membership_pages FINAL
WHERE (workspace_id, network, group_id, list_id) IN (
  SELECT workspace_id, network, group_id, argMax(list_id, observed_at)
  FROM membership_lists FINAL WHERE complete GROUP BY workspace_id, network, group_id
)
UNION DISTINCT
SELECT workspace_id, network, arrayJoin(group_ids) AS group_id, id AS user_id FROM stored_people FINAL;

-- Where each import stands.
CREATE OR REPLACE VIEW imports_now AS
SELECT workspace_id, network, import_id,
       argMax(state, happened_at) AS newest_state,
       max(people_done) AS people,
       max(calls_made) AS calls,
       max(happened_at) AS newest_at
FROM import_steps FINAL
GROUP BY workspace_id, network, import_id;
