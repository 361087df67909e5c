-- What must outlive the memory of the pool: refresh tokens, and rests that last for hours.

CREATE TABLE refresh_tokens (
  key_id          uuid    PRIMARY KEY REFERENCES api_keys (id),
  workspace_id    text    NOT NULL,
  -- iv(12) | tag(16) | ciphertext under the data key; bound to workspace | key | token_version | refresh.
  token_encrypted bytea   NOT NULL,
  data_key_id     uuid    NOT NULL,
  -- Version of the pair: that of the access token it came with.
  token_version   integer NOT NULL,
  client_id       text    NOT NULL,
  device_id       text,
  -- When the network is to be asked for another pair; null while the present one is good.
  due_at          timestamptz(3),
  tries           integer NOT NULL DEFAULT 0,
  last_failure    text
);
CREATE INDEX refresh_tokens_due ON refresh_tokens (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX refresh_tokens_of_data_key ON refresh_tokens (data_key_id);
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY refresh_tokens_of_workspace ON refresh_tokens TO key_service_app
  USING (workspace_id = current_setting('app.workspace_id', true))
  WITH CHECK (workspace_id = current_setting('app.workspace_id', true));
CREATE POLICY refresh_tokens_of_worker ON refresh_tokens TO key_service_worker USING (true) WITH CHECK (true);
REVOKE ALL ON refresh_tokens FROM key_service_app, key_service_worker;
GRANT SELECT (key_id, workspace_id), INSERT, DELETE ON refresh_tokens TO key_service_app;
GRANT SELECT, UPDATE, DELETE ON refresh_tokens TO key_service_worker;

-- A key that is over takes its refresh token along, whoever ends it.
CREATE FUNCTION forget_refresh_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM refresh_tokens WHERE key_id = NEW.id;
  RETURN NEW;
END $$;
CREATE TRIGGER api_keys_over AFTER UPDATE ON api_keys FOR EACH ROW
  WHEN (NEW.status IN ('replaced', 'deleted') OR NEW.consent_ended_at IS NOT NULL)
  EXECUTE FUNCTION forget_refresh_token();

-- A refresh changes the token of a key, and nothing else of it.
GRANT UPDATE (fingerprint, token_version, version, updated_at) ON api_keys TO key_service_worker;
CREATE POLICY key_history_of_worker ON key_history FOR INSERT TO key_service_worker WITH CHECK (true);
GRANT INSERT ON key_history TO key_service_worker;

CREATE TABLE key_rests (
  key_id        uuid           NOT NULL,
  kind          text           NOT NULL CHECK (kind IN ('key', 'method', 'egress')),
  -- Of the method or the address; empty for the whole key.
  name          text           NOT NULL,
  workspace_id  text           NOT NULL,
  token_version integer        NOT NULL,
  until         timestamptz(3) NOT NULL,
  length_ms     bigint         NOT NULL,
  code          integer        NOT NULL,
  barred        boolean        NOT NULL,
  PRIMARY KEY (key_id, kind, name)
);
ALTER TABLE key_rests ENABLE ROW LEVEL SECURITY;
ALTER TABLE key_rests FORCE ROW LEVEL SECURITY;
CREATE POLICY key_rests_of_worker ON key_rests TO key_service_worker USING (true) WITH CHECK (true);
REVOKE ALL ON key_rests FROM key_service_app, key_service_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON key_rests TO key_service_worker;
