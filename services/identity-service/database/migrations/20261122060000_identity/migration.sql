-- Row-level security is forced from the first migration on: `identity_service_app` sees the workspace of its
-- transaction, `identity_service_worker` (registration, Keycloak, collecting, sealing) all of them.

CREATE TABLE workspaces (
  id         text           PRIMARY KEY,
  name       text           NOT NULL,
  created_at timestamptz(3) NOT NULL,
  revision   integer        NOT NULL DEFAULT 1
);

-- One row per account that a registration or an invitation made. It says what Keycloak is to say of the account: until
-- `applied` has caught up with `version` it does not yet.
CREATE TABLE accounts (
  subject      text           PRIMARY KEY,
  workspace_id text           NOT NULL,
  email        text           NOT NULL,
  roles        text[]         NOT NULL,
  joined_at    timestamptz(3) NOT NULL,
  -- Set: the account is a member of no workspace; the row stays with the one that it left.
  left_at      timestamptz(3),
  version      integer        NOT NULL,
  applied      integer        NOT NULL,
  CHECK (roles <@ ARRAY['viewer', 'analyst', 'operator', 'admin'])
);
CREATE INDEX accounts_of_workspace ON accounts (workspace_id, subject);
CREATE INDEX accounts_to_apply ON accounts (subject) WHERE applied < version;

-- Begun registrations; the row goes when its account is a member. The password is there as the salted hash only that
-- Keycloak will hold.
CREATE TABLE registrations (
  id             uuid           PRIMARY KEY,
  email          text           NOT NULL UNIQUE,
  password       jsonb          NOT NULL,
  workspace_id   text           NOT NULL,
  workspace_name text,
  roles          text[]         NOT NULL,
  invitation_id  uuid,
  begun_at       timestamptz(3) NOT NULL,
  next_try_at    timestamptz(3) NOT NULL,
  tries          integer        NOT NULL DEFAULT 0
);
CREATE INDEX registrations_due ON registrations (next_try_at);

CREATE TABLE invitations (
  id           uuid           PRIMARY KEY,
  workspace_id text           NOT NULL,
  roles        text[]         NOT NULL,
  -- SHA-256 of the token: it was shown once.
  token_hash   text           NOT NULL UNIQUE,
  note         text,
  created_by   text           NOT NULL,
  created_at   timestamptz(3) NOT NULL,
  expires_at   timestamptz(3) NOT NULL,
  ended_at     timestamptz(3),
  outcome      text           CHECK (outcome IN ('accepted', 'withdrawn'))
);
CREATE INDEX invitations_of_workspace ON invitations (workspace_id, id);

CREATE TABLE quotas (
  workspace_id text  PRIMARY KEY,
  limits       jsonb NOT NULL
);

-- What redis-pool is filled with again after it was lost.
CREATE TABLE revocations (
  subject      text           PRIMARY KEY,
  earliest_iat bigint         NOT NULL,
  noted_at     timestamptz(3) NOT NULL
);
CREATE INDEX revocations_noted ON revocations (noted_at);

-- The audit trail. Rows are only ever added: to entries by the collector, to seals and heads by the sealer.
CREATE TABLE audit_entries (
  id           bigserial      PRIMARY KEY,
  audit_id     text           NOT NULL UNIQUE,
  workspace_id text           NOT NULL,
  entry        jsonb          NOT NULL,
  received_at  timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX audit_entries_of_workspace ON audit_entries (workspace_id, id);

CREATE TABLE audit_seals (
  workspace_id text           NOT NULL,
  seq          bigint         NOT NULL,
  entry_id     bigint         NOT NULL UNIQUE,
  hash         text           NOT NULL,
  sealed_at    timestamptz(3) NOT NULL,
  PRIMARY KEY (workspace_id, seq)
);

CREATE TABLE audit_heads (
  id           bigserial      PRIMARY KEY,
  workspace_id text           NOT NULL,
  seq          bigint         NOT NULL,
  hash         text           NOT NULL,
  at           timestamptz(3) NOT NULL,
  mac          text           NOT NULL
);

-- Entries that wait for their seal.
CREATE TABLE audit_pending (
  entry_id bigint PRIMARY KEY
);

CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();
CREATE TRIGGER audit_seals_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();
CREATE TRIGGER audit_heads_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_heads
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();

-- As libs/messaging has it.
CREATE TABLE outbox (
  id             bigserial   PRIMARY KEY,
  kind           text        NOT NULL CHECK (kind IN ('task', 'event')),
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

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['workspaces', 'accounts', 'registrations', 'invitations', 'quotas', 'revocations',
    'audit_entries', 'audit_seals', 'audit_heads', 'audit_pending', 'outbox', 'idempotency_keys'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY %I ON %I TO identity_service_worker USING (true) WITH CHECK (true)',
      name || '_of_worker', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['accounts', 'invitations', 'quotas', 'audit_entries', 'idempotency_keys'] LOOP
    EXECUTE format('CREATE POLICY %I ON %I TO identity_service_app
      USING (workspace_id = current_setting(''app.workspace_id'', true))
      WITH CHECK (workspace_id = current_setting(''app.workspace_id'', true))', name || '_of_workspace', name);
  END LOOP;
END $$;
CREATE POLICY workspaces_own ON workspaces TO identity_service_app
  USING (id = current_setting('app.workspace_id', true))
  WITH CHECK (id = current_setting('app.workspace_id', true));
CREATE POLICY outbox_add ON outbox FOR INSERT TO identity_service_app WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE (name, revision) ON workspaces TO identity_service_app;
GRANT SELECT, UPDATE (roles, left_at, version) ON accounts TO identity_service_app;
GRANT SELECT, INSERT, UPDATE (ended_at, outcome) ON invitations TO identity_service_app;
GRANT SELECT ON quotas TO identity_service_app;
GRANT SELECT ON audit_entries TO identity_service_app;
GRANT INSERT ON outbox TO identity_service_app;
GRANT USAGE ON SEQUENCE outbox_id_seq TO identity_service_app, identity_service_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO identity_service_app;

GRANT SELECT, INSERT ON workspaces TO identity_service_worker;
GRANT SELECT, INSERT, UPDATE ON accounts TO identity_service_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON registrations TO identity_service_worker;
GRANT SELECT, UPDATE (ended_at, outcome) ON invitations TO identity_service_worker;
GRANT SELECT, INSERT, UPDATE ON quotas TO identity_service_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON revocations TO identity_service_worker;
GRANT SELECT, INSERT ON audit_entries, audit_seals, audit_heads TO identity_service_worker;
GRANT SELECT, INSERT, DELETE ON audit_pending TO identity_service_worker;
GRANT USAGE ON SEQUENCE audit_entries_id_seq, audit_heads_id_seq TO identity_service_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO identity_service_worker;
GRANT DELETE ON idempotency_keys TO identity_service_worker;
