-- The keys of the pool, sealed. Row-level security is forced from the first migration on: `key_service_app` sees the
-- workspace of its transaction, `key_service_worker` (leasing, relay) sees all of them.

CREATE SEQUENCE api_keys_revision;

CREATE TABLE api_keys (
  id               uuid           PRIMARY KEY,
  workspace_id     text           NOT NULL,
  network          text           NOT NULL,
  kind             text           NOT NULL CHECK (kind IN ('user', 'service', 'community')),
  label            text,
  status           text           NOT NULL
    CHECK (status IN ('active', 'paused', 'invalid', 'replaced', 'deleted')),
  status_reason    text,
  -- iv(12) | tag(16) | ciphertext under the data key; bound to workspace | id | token_version.
  token_encrypted  bytea          NOT NULL,
  data_key_id      uuid           NOT NULL,
  -- Keyed digest of network and token: the same token twice would be one limit counted as two.
  fingerprint      text           NOT NULL,
  token_version    integer        NOT NULL,
  owner_id         text,
  scopes           text[]         NOT NULL DEFAULT '{}',
  rate_limit       jsonb          NOT NULL,
  bucket           text           NOT NULL,
  egress           text,
  consent_given_by text           NOT NULL,
  consent_at       timestamptz(3) NOT NULL,
  consent_ended_at timestamptz(3),
  last_used_at     timestamptz(3),
  meta             jsonb          NOT NULL DEFAULT '{}',
  version          integer        NOT NULL,
  -- Order of changes over all keys; leasing follows it.
  revision         bigint         NOT NULL DEFAULT nextval('api_keys_revision'),
  created_at       timestamptz(3) NOT NULL,
  updated_at       timestamptz(3) NOT NULL,
  deleted_at       timestamptz(3)
);
CREATE INDEX api_keys_of_workspace ON api_keys (workspace_id, id);
CREATE UNIQUE INDEX api_keys_revised ON api_keys (revision);
CREATE UNIQUE INDEX api_keys_token_once ON api_keys (workspace_id, network, fingerprint) WHERE deleted_at IS NULL;

CREATE FUNCTION next_api_key_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.revision := nextval('api_keys_revision');
  RETURN NEW;
END $$;
CREATE TRIGGER api_keys_revise BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION next_api_key_revision();

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY api_keys_of_workspace ON api_keys TO key_service_app
  USING (workspace_id = current_setting('app.workspace_id', true))
  WITH CHECK (workspace_id = current_setting('app.workspace_id', true));
CREATE POLICY api_keys_of_worker ON api_keys FOR SELECT TO key_service_worker USING (true);
GRANT SELECT, INSERT, UPDATE ON api_keys TO key_service_app;
GRANT SELECT ON api_keys TO key_service_worker;
GRANT USAGE ON SEQUENCE api_keys_revision TO key_service_app;

-- Data keys, wrapped by KMS. Workspace `*` is the fleet itself. The serving role has no policy: it sees none.
CREATE TABLE data_keys (
  id           uuid           PRIMARY KEY,
  workspace_id text           NOT NULL,
  wrapped      bytea          NOT NULL,
  created_at   timestamptz(3) NOT NULL
);
CREATE INDEX data_keys_of_workspace ON data_keys (workspace_id, created_at);
ALTER TABLE data_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY data_keys_of_worker ON data_keys TO key_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON data_keys TO key_service_worker;

-- One row: the count of the pool's memories. Fences are made of it, so it never goes back.
CREATE TABLE pool_epochs (
  one_row  boolean     PRIMARY KEY DEFAULT true CHECK (one_row),
  epoch     bigint      NOT NULL,
  begun_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO pool_epochs (epoch) VALUES (0);
ALTER TABLE pool_epochs ENABLE ROW LEVEL SECURITY;
ALTER TABLE pool_epochs FORCE ROW LEVEL SECURITY;
CREATE POLICY pool_epochs_of_worker ON pool_epochs TO key_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON pool_epochs TO key_service_worker;

-- As libs/messaging has it; forced security on top, because the default privileges let the serving role read.
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
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY outbox_add ON outbox FOR INSERT TO key_service_app WITH CHECK (true);
CREATE POLICY outbox_relay ON outbox TO key_service_worker USING (true) WITH CHECK (true);
GRANT INSERT ON outbox TO key_service_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO key_service_worker;
GRANT USAGE ON SEQUENCE outbox_id_seq TO key_service_app, key_service_worker;

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
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_of_workspace ON idempotency_keys TO key_service_app
  USING (workspace_id = current_setting('app.workspace_id', true))
  WITH CHECK (workspace_id = current_setting('app.workspace_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO key_service_app;
