-- Weights, sharing, successors and the history of keys. A token is known fleet-wide: in two workspaces its limit
-- would be counted twice. Tokens of keys that are over do not count: they may be registered again.

ALTER TABLE api_keys
  ADD COLUMN weight      integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 100),
  ADD COLUMN shared_with text[]  NOT NULL DEFAULT '{}',
  ADD COLUMN replaces    uuid,
  ADD COLUMN replaced_by uuid;

DROP INDEX api_keys_token_once;
CREATE UNIQUE INDEX api_keys_token_once ON api_keys (network, fingerprint)
  WHERE status IN ('active', 'paused', 'invalid') AND consent_ended_at IS NULL;

-- Leasing follows revisions: notes about use alone must not make it read the row again.
DROP TRIGGER api_keys_revise ON api_keys;
CREATE TRIGGER api_keys_revise BEFORE UPDATE ON api_keys FOR EACH ROW
  WHEN (OLD.version IS DISTINCT FROM NEW.version
     OR OLD.token_version IS DISTINCT FROM NEW.token_version
     OR OLD.data_key_id IS DISTINCT FROM NEW.data_key_id
     OR OLD.token_encrypted IS DISTINCT FROM NEW.token_encrypted)
  EXECUTE FUNCTION next_api_key_revision();

-- Who changed what, one row for each version of a key; nobody changes or deletes rows.
CREATE TABLE key_history (
  key_id         uuid           NOT NULL,
  version        integer        NOT NULL,
  workspace_id   text           NOT NULL,
  at             timestamptz(3) NOT NULL,
  actor_kind     text           NOT NULL CHECK (actor_kind IN ('person', 'service')),
  actor_id       text           NOT NULL,
  action         text           NOT NULL,
  -- {field: {from, to}}; a token is never a field.
  changes        jsonb          NOT NULL,
  reason         text,
  correlation_id text,
  PRIMARY KEY (key_id, version)
);
CREATE INDEX key_history_of_workspace ON key_history (workspace_id, key_id, version DESC);
ALTER TABLE key_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE key_history FORCE ROW LEVEL SECURITY;
CREATE POLICY key_history_of_workspace ON key_history TO key_service_app
  USING (workspace_id = current_setting('app.workspace_id', true))
  WITH CHECK (workspace_id = current_setting('app.workspace_id', true));
REVOKE ALL ON key_history FROM key_service_app, key_service_worker;
GRANT SELECT, INSERT ON key_history TO key_service_app;

-- Re-wrapping under another master key: the worker writes wrapped keys and sealed tokens, nothing else of a key.
CREATE POLICY api_keys_resealed ON api_keys FOR UPDATE TO key_service_worker USING (true) WITH CHECK (true);
REVOKE UPDATE, INSERT, DELETE ON api_keys FROM key_service_worker;
GRANT UPDATE (token_encrypted, data_key_id) ON api_keys TO key_service_worker;
GRANT USAGE ON SEQUENCE api_keys_revision TO key_service_worker;
REVOKE UPDATE ON data_keys FROM key_service_worker;
GRANT UPDATE (wrapped), DELETE ON data_keys TO key_service_worker;
