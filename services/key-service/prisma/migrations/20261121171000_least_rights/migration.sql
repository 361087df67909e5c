-- Every right of the two serving roles anew, and no other one: earlier migrations had left the worker a right that
-- nothing uses (DELETE of data keys), and a database with default privileges gave more than they granted. The table of
-- rights in the README is compared with this.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM key_service_app, key_service_worker;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM key_service_app, key_service_worker;

GRANT SELECT, INSERT, UPDATE ON api_keys TO key_service_app;
GRANT SELECT, UPDATE (token_encrypted, data_key_id, fingerprint, token_version, version, updated_at, last_used_at)
  ON api_keys TO key_service_worker;
GRANT USAGE ON SEQUENCE api_keys_revision TO key_service_app, key_service_worker;

GRANT SELECT (key_id, workspace_id), INSERT, DELETE ON refresh_tokens TO key_service_app;
GRANT SELECT, DELETE,
  UPDATE (token_encrypted, data_key_id, token_version, due_at, expires_at, tries, last_failure, answer_lost)
  ON refresh_tokens TO key_service_worker;

GRANT SELECT, INSERT ON key_history TO key_service_app;
GRANT INSERT ON key_history TO key_service_worker;

GRANT SELECT ON key_uses TO key_service_app;
GRANT SELECT, INSERT, UPDATE (settled_at, results), DELETE ON key_uses TO key_service_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON key_rests TO key_service_worker;

GRANT SELECT, INSERT, UPDATE (size, closed_at), DELETE ON budget_blocks TO key_service_worker;

GRANT SELECT, INSERT, UPDATE (wrapped) ON data_keys TO key_service_worker;

GRANT SELECT, UPDATE (epoch, begun_at) ON pool_epochs TO key_service_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON learned_paths TO key_service_worker;

GRANT INSERT ON outbox TO key_service_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO key_service_worker;
GRANT USAGE ON SEQUENCE outbox_id_seq TO key_service_app, key_service_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO key_service_app;
