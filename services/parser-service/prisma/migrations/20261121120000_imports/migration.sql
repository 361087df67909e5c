-- Imports, their items and calls. Row-level security is forced from the first migration on: `parser_service_app`
-- sees one workspace, `parser_service_worker` (dispatcher, workers, relay) all of them.

CREATE TABLE imports (
  id                      uuid           PRIMARY KEY,
  workspace_id            text           NOT NULL,
  network                 text           NOT NULL,
  state                   text           NOT NULL
    CHECK (state IN ('running', 'paused', 'settling', 'completed', 'cancelled', 'failed')),
  seeds                   text[]         NOT NULL,
  depth                   smallint,
  people_limit            integer,
  calls_limit             integer,
  created_by              text           NOT NULL,
  created_at              timestamptz(3) NOT NULL,
  changed_at              timestamptz(3) NOT NULL,
  people_known            bigint         NOT NULL DEFAULT 0,
  people_done             bigint         NOT NULL DEFAULT 0,
  people_gaps             bigint         NOT NULL DEFAULT 0,
  people_beyond           bigint         NOT NULL DEFAULT 0,
  lists_known             bigint         NOT NULL DEFAULT 0,
  lists_done              bigint         NOT NULL DEFAULT 0,
  lists_gaps              bigint         NOT NULL DEFAULT 0,
  calls_made              bigint         NOT NULL DEFAULT 0,
  friendship_observations bigint         NOT NULL DEFAULT 0,
  -- Not dispatched before this moment: the key pool said when a key will be there.
  hold_until              timestamptz(3),
  -- When it last had its turn in the round robin.
  dispatched_at           timestamptz
);
CREATE INDEX imports_of_workspace ON imports (workspace_id, id);
CREATE INDEX imports_alive ON imports (state) WHERE state IN ('running', 'settling');

CREATE TABLE items (
  import_id    uuid           NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  kind         text           NOT NULL CHECK (kind IN ('profile', 'friends')),
  person       text           COLLATE "C" NOT NULL,
  workspace_id text           NOT NULL,
  depth        smallint       NOT NULL,
  state        text           NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'called', 'done', 'gap', 'beyond')),
  attempts     smallint       NOT NULL DEFAULT 0,
  -- Its list does not fit one page: it is fetched alone.
  long         boolean        NOT NULL DEFAULT false,
  ready_at     timestamptz(3) NOT NULL DEFAULT 'epoch',
  call_id      uuid,
  cause        text,
  detail       text,
  PRIMARY KEY (import_id, kind, person)
);
CREATE INDEX items_open ON items (import_id, kind, depth) WHERE state IN ('pending', 'called');

CREATE TABLE calls (
  id            uuid        PRIMARY KEY,
  import_id     uuid        NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  workspace_id  text        NOT NULL,
  network       text        NOT NULL,
  kind          text        NOT NULL CHECK (kind IN ('lists', 'long-list', 'profiles')),
  people        text[]      NOT NULL,
  state         text        NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'running', 'done', 'put-back', 'split')),
  dispatched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  begun_at      timestamptz,
  ended_at      timestamptz
);
CREATE INDEX calls_open ON calls (workspace_id, network, import_id) WHERE state IN ('queued', 'running');
CREATE INDEX calls_of_import ON calls (import_id);

CREATE TABLE import_positions (
  import_id    uuid    NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  topic        text    NOT NULL,
  partition    integer NOT NULL,
  workspace_id text    NOT NULL,
  next_offset  bigint  NOT NULL,
  PRIMARY KEY (import_id, topic, partition)
);

CREATE TABLE idempotency_keys (
  workspace_id text        NOT NULL,
  operation    text        NOT NULL,
  key          text        NOT NULL,
  body_hash    text        NOT NULL,
  answer       jsonb,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, operation, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

-- Messages of committed transactions, on their way to RabbitMQ and Kafka. No row-level security: the serving role may
-- only add, the worker role relays for all workspaces.
CREATE TABLE outbox (
  id             bigserial   PRIMARY KEY,
  kind           text        NOT NULL CHECK (kind IN ('task', 'event', 'fanout')),
  address        text        NOT NULL,
  message_type   text        NOT NULL,
  message_id     text        NOT NULL,
  key            text,
  subject        text,
  payload        jsonb       NOT NULL,
  traceparent    text,
  correlation_id text,
  created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_kind_id ON outbox (kind, id);
GRANT INSERT ON outbox TO parser_service_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO parser_service_worker;
GRANT USAGE ON SEQUENCE outbox_id_seq TO parser_service_app, parser_service_worker;

DO $$
DECLARE
  scoped text;
BEGIN
  FOREACH scoped IN ARRAY ARRAY['imports', 'items', 'calls', 'import_positions', 'idempotency_keys'] LOOP
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

GRANT SELECT, INSERT, UPDATE ON imports, items TO parser_service_app, parser_service_worker;
GRANT SELECT, INSERT, UPDATE ON calls, import_positions TO parser_service_worker;
GRANT SELECT ON calls, import_positions TO parser_service_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO parser_service_app;
GRANT SELECT, DELETE ON idempotency_keys TO parser_service_worker;
