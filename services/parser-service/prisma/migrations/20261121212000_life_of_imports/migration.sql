-- The life of an import: deleting, retrying what failed, revisions for If-Match, events that a stream can resume.

ALTER TABLE imports DROP CONSTRAINT imports_state_check;
ALTER TABLE imports ADD CONSTRAINT imports_state_check
  CHECK (state IN ('running', 'paused', 'settling', 'completed', 'cancelled', 'failed', 'deleted'));
ALTER TABLE imports
  ADD COLUMN revision        integer NOT NULL DEFAULT 1,
  ADD COLUMN people_retrying bigint  NOT NULL DEFAULT 0,
  ADD COLUMN lists_retrying  bigint  NOT NULL DEFAULT 0,
  -- The last event, and whether there is progress that none tells of yet: at most four a second are written.
  ADD COLUMN event_seq       bigint  NOT NULL DEFAULT 0,
  ADD COLUMN event_at        timestamptz,
  ADD COLUMN event_due       boolean NOT NULL DEFAULT false;
CREATE INDEX imports_ended ON imports (changed_at) WHERE state IN ('completed', 'cancelled', 'failed', 'deleted');

-- It was final before: when it is final again it is not counted as done once more.
ALTER TABLE items ADD COLUMN retried boolean NOT NULL DEFAULT false;
CREATE INDEX calls_ended ON calls (ended_at) WHERE ended_at IS NOT NULL;

-- The life of each import as its streams tell it; `seq` has no holes and rises in the order of the commits, because
-- whoever writes here holds the import's lock.
CREATE TABLE import_events (
  import_id    uuid           NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  seq          bigint         NOT NULL,
  workspace_id text           NOT NULL,
  at           timestamptz(3) NOT NULL,
  state        text           NOT NULL,
  revision     integer        NOT NULL,
  counters     jsonb          NOT NULL,
  PRIMARY KEY (import_id, seq)
);

-- Records of an import that the graph store could not take. `applied`: its item shows it, or is none any more.
CREATE TABLE dead_records (
  topic        text    NOT NULL,
  partition    integer NOT NULL,
  place        bigint  NOT NULL,
  import_id    uuid    NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  call_id      uuid    NOT NULL,
  workspace_id text    NOT NULL,
  kind         text    NOT NULL,
  person       text    COLLATE "C" NOT NULL,
  code         text    NOT NULL,
  applied      boolean NOT NULL DEFAULT false,
  PRIMARY KEY (topic, partition, place)
);
CREATE INDEX dead_records_of_import ON dead_records (import_id) WHERE NOT applied;

-- How far the dead-letter topics are read.
CREATE TABLE dead_record_positions (
  topic       text    NOT NULL,
  partition   integer NOT NULL,
  next_offset bigint  NOT NULL,
  PRIMARY KEY (topic, partition)
);

DO $$
DECLARE
  scoped text;
BEGIN
  FOREACH scoped IN ARRAY ARRAY['import_events', 'dead_records'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', scoped);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', scoped);
    EXECUTE format(
      'CREATE POLICY %I ON %I TO parser_service_app
         USING (workspace_id = current_setting(''app.workspace_id'', true))
         WITH CHECK (workspace_id = current_setting(''app.workspace_id'', true))',
      scoped || '_of_workspace', scoped);
    EXECUTE format(
      'CREATE POLICY %I ON %I TO parser_service_worker USING (true) WITH CHECK (true)',
      scoped || '_of_worker', scoped);
  END LOOP;
END $$;

GRANT SELECT, INSERT ON import_events TO parser_service_app;
-- UPDATE where rows are locked before they are deleted.
GRANT SELECT, INSERT, UPDATE, DELETE ON import_events TO parser_service_worker;
GRANT UPDATE ON idempotency_keys TO parser_service_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON dead_records, dead_record_positions TO parser_service_worker;
-- A cancelled import takes its queued calls back at once.
GRANT UPDATE ON calls TO parser_service_app;
GRANT DELETE ON imports, items, calls, import_positions TO parser_service_worker;
