-- Tables of the warehouse in DuckDB. Keys are kept by the writer (MERGE by key and version): an index would have to fit into
-- memory. Moments are milliseconds since the Unix epoch; one beyond 2100 is a fault of who wrote it.

CREATE TABLE IF NOT EXISTS people (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  first_name VARCHAR NOT NULL,
  last_name VARCHAR NOT NULL,
  screen_name VARCHAR,
  sex VARCHAR,
  birth_date VARCHAR,
  city VARCHAR,
  country VARCHAR,
  closed BOOLEAN,
  observed_at UBIGINT NOT NULL,
  fence UBIGINT NOT NULL,
  import_id VARCHAR NOT NULL,
  call_id VARCHAR NOT NULL,
  CHECK (observed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS friend_lists (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  user_id VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  total UBIGINT,
  friend_ids VARCHAR[] NOT NULL,
  observed_at UBIGINT NOT NULL,
  fence UBIGINT NOT NULL,
  import_id VARCHAR NOT NULL,
  call_id VARCHAR NOT NULL,
  CHECK (observed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS communities (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  screen_name VARCHAR,
  kind VARCHAR,
  closed VARCHAR,
  members_count UBIGINT,
  observed_at UBIGINT NOT NULL,
  fence UBIGINT NOT NULL,
  import_id VARCHAR NOT NULL,
  call_id VARCHAR NOT NULL,
  CHECK (observed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS posts (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  owner_kind VARCHAR NOT NULL,
  owner_id VARCHAR NOT NULL,
  owner_person_id VARCHAR,
  author_id VARCHAR,
  published_at UBIGINT NOT NULL,
  body VARCHAR NOT NULL,
  likes UBIGINT,
  reposts UBIGINT,
  comments UBIGINT,
  views UBIGINT,
  repost_of VARCHAR,
  observed_at UBIGINT NOT NULL,
  fence UBIGINT NOT NULL,
  import_id VARCHAR NOT NULL,
  call_id VARCHAR NOT NULL,
  CHECK (observed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS membership_pages (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  group_id VARCHAR NOT NULL,
  list_id VARCHAR NOT NULL,
  part UBIGINT NOT NULL,
  member_ids VARCHAR[] NOT NULL,
  observed_at UBIGINT NOT NULL,
  fence UBIGINT NOT NULL,
  import_id VARCHAR NOT NULL,
  call_id VARCHAR NOT NULL,
  CHECK (observed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS membership_lists (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  group_id VARCHAR NOT NULL,
  list_id VARCHAR NOT NULL,
  parts UBIGINT NOT NULL,
  members UBIGINT NOT NULL,
  complete BOOLEAN NOT NULL,
  observed_at UBIGINT NOT NULL,
  fence UBIGINT NOT NULL,
  import_id VARCHAR NOT NULL,
  call_id VARCHAR NOT NULL,
  CHECK (observed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS subscription_lists (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  user_id VARCHAR NOT NULL,
  list VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  total UBIGINT,
  people_ids VARCHAR[] NOT NULL,
  community_ids VARCHAR[] NOT NULL,
  observed_at UBIGINT NOT NULL,
  fence UBIGINT NOT NULL,
  import_id VARCHAR NOT NULL,
  call_id VARCHAR NOT NULL,
  CHECK (observed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS stored_people (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  version UBIGINT NOT NULL,
  changed_at UBIGINT NOT NULL,
  state VARCHAR,
  first_name VARCHAR,
  last_name VARCHAR,
  friend_ids VARCHAR[] NOT NULL,
  friends_complete BOOLEAN,
  group_ids VARCHAR[] NOT NULL,
  page_ids VARCHAR[] NOT NULL,
  follow_ids VARCHAR[] NOT NULL,
  CHECK (changed_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS import_steps (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  import_id VARCHAR NOT NULL,
  event_id VARCHAR NOT NULL,
  happened_at UBIGINT NOT NULL,
  state VARCHAR NOT NULL,
  people_known UBIGINT NOT NULL,
  people_done UBIGINT NOT NULL,
  lists_known UBIGINT NOT NULL,
  lists_done UBIGINT NOT NULL,
  calls_made UBIGINT NOT NULL,
  gaps UBIGINT NOT NULL,
  CHECK (happened_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS key_changes (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  key_id VARCHAR NOT NULL,
  event_id VARCHAR NOT NULL,
  happened_at UBIGINT NOT NULL,
  kind VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  change VARCHAR,
  version UBIGINT NOT NULL,
  CHECK (happened_at < 4102444800000)
);

CREATE TABLE IF NOT EXISTS key_uses (
  workspace_id VARCHAR NOT NULL,
  network VARCHAR NOT NULL,
  key_id VARCHAR NOT NULL,
  event_id VARCHAR NOT NULL,
  method VARCHAR NOT NULL,
  from_ms UBIGINT NOT NULL,
  to_ms UBIGINT NOT NULL,
  calls UBIGINT NOT NULL,
  CHECK (to_ms < 4102444800000)
);

-- What the questions are asked of. A person is somebody whose document is stored, as in docs of read-model-projector.
CREATE OR REPLACE VIEW graph_people AS
SELECT workspace_id, network, id, state, first_name, last_name, coalesce(friends_complete, false) AS friends_complete
FROM stored_people
WHERE state IS NOT NULL;

-- One row for each friendship between two people, ends in the order of their ids as texts; `sides` is how many of the
-- two name the other in their own list.
CREATE OR REPLACE VIEW graph_friendships AS
SELECT workspace_id, network,
       CASE WHEN id < friend_id THEN id ELSE friend_id END AS low_id,
       CASE WHEN id < friend_id THEN friend_id ELSE id END AS high_id,
       count(DISTINCT id) AS sides
FROM (
  SELECT workspace_id, network, id, unnest(friend_ids) AS friend_id FROM stored_people WHERE state IS NOT NULL
) AS named
WHERE id <> friend_id
  AND (workspace_id, network, friend_id) IN (
    SELECT workspace_id, network, id FROM stored_people WHERE state IS NOT NULL
  )
GROUP BY workspace_id, network, low_id, high_id;

-- Members of groups: of each group's newest complete walk, and the people who show the membership themselves.
CREATE OR REPLACE VIEW graph_members AS
SELECT workspace_id, network, group_id, unnest(member_ids) AS user_id
FROM membership_pages
WHERE (workspace_id, network, group_id, list_id) IN (
  SELECT workspace_id, network, group_id, argMax(list_id, observed_at)
  FROM membership_lists WHERE complete GROUP BY workspace_id, network, group_id
)
UNION
SELECT workspace_id, network, unnest(group_ids) AS group_id, id AS user_id FROM stored_people;

-- Where each import stands.
CREATE OR REPLACE VIEW imports_now AS
SELECT workspace_id, network, import_id,
       argMax(state, happened_at) AS newest_state,
       max(people_done) AS people,
       max(calls_made) AS calls,
       max(happened_at) AS newest_at
FROM import_steps
GROUP BY workspace_id, network, import_id;
