-- What an import asks for beyond people and friendships. Items are about people (`107`), groups (`-22822305`) and
-- names that are not resolved yet (`@durov`); `person` holds all three.
ALTER TABLE imports ADD COLUMN scope jsonb NOT NULL
  DEFAULT '{"include": ["friends"], "fields": [], "walls": {"since": null, "last": null}}';

ALTER TABLE items DROP CONSTRAINT items_kind_check;
ALTER TABLE items ADD CONSTRAINT items_kind_check CHECK (kind IN
  ('profile', 'friends', 'groups', 'subscriptions', 'wall', 'group', 'members', 'name'));
-- Where the next call goes on in a list that takes several; the network's adapter writes and reads it.
ALTER TABLE items ADD COLUMN cursor text;

ALTER TABLE calls DROP CONSTRAINT calls_kind_check;
ALTER TABLE calls ADD CONSTRAINT calls_kind_check CHECK (kind IN
  ('names', 'profiles', 'lists', 'long-list', 'members', 'groups', 'long-groups', 'subscriptions', 'group-profiles',
   'walls'));
-- How often the items of this call were in one that was too much for the network.
ALTER TABLE calls ADD COLUMN splits smallint NOT NULL DEFAULT 0;

-- How many items a call of a kind may hold now, where that was learned: halved by a call that was too much, one more
-- after a full one that was not.
CREATE TABLE pack_sizes (
  workspace_id text    NOT NULL,
  network      text    NOT NULL,
  kind         text    NOT NULL,
  size         integer NOT NULL CHECK (size >= 1),
  PRIMARY KEY (workspace_id, network, kind)
);
ALTER TABLE pack_sizes ENABLE ROW LEVEL SECURITY;
ALTER TABLE pack_sizes FORCE ROW LEVEL SECURITY;
CREATE POLICY pack_sizes_of_worker ON pack_sizes TO parser_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON pack_sizes TO parser_service_worker;
