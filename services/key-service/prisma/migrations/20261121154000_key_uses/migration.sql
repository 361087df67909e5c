-- Which key was used for what: one row a lease, written in bulk outside of the lease's path. A workspace sees the
-- uses of its own keys, whoever they were shared with, and its own uses of the keys of others.
CREATE TABLE key_uses (
  lease_id         text           PRIMARY KEY,
  key_id           uuid           NOT NULL,
  -- The owner of the key.
  key_workspace_id text           NOT NULL,
  network          text           NOT NULL,
  -- Who used it.
  workspace_id     text           NOT NULL,
  import_id        text           NOT NULL,
  service          text           NOT NULL,
  methods          jsonb          NOT NULL,
  calls            integer        NOT NULL,
  granted_at       timestamptz(3) NOT NULL,
  settled_at       timestamptz(3),
  -- Calls by result: {"ok": 1, "error-6": 1}; null while nobody said what became of them.
  results          jsonb
);
CREATE INDEX key_uses_of_key ON key_uses (key_id, granted_at);
CREATE INDEX key_uses_over ON key_uses (granted_at);
ALTER TABLE key_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE key_uses FORCE ROW LEVEL SECURITY;
CREATE POLICY key_uses_of_workspace ON key_uses FOR SELECT TO key_service_app
  USING (current_setting('app.workspace_id', true) IN (key_workspace_id, workspace_id));
CREATE POLICY key_uses_of_worker ON key_uses TO key_service_worker USING (true) WITH CHECK (true);
REVOKE ALL ON key_uses FROM key_service_app, key_service_worker;
GRANT SELECT ON key_uses TO key_service_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON key_uses TO key_service_worker;

-- Being used is no change of a key: nobody has to read it again for that.
GRANT UPDATE (last_used_at) ON api_keys TO key_service_worker;
DROP TRIGGER api_keys_revise ON api_keys;
CREATE TRIGGER api_keys_revise BEFORE UPDATE ON api_keys FOR EACH ROW
  WHEN (OLD.version IS DISTINCT FROM NEW.version OR OLD.last_used_at IS NOT DISTINCT FROM NEW.last_used_at)
  EXECUTE FUNCTION next_api_key_revision();
