-- Attempts to register, of all processes together; the name of an address is its digest. Nobody who registers belongs
-- to a workspace: the worker role alone.
CREATE TABLE attempts (
  id   bigserial      PRIMARY KEY,
  name text           NOT NULL,
  at   timestamptz(3) NOT NULL
);
CREATE INDEX attempts_of_name ON attempts (name, at);
CREATE INDEX attempts_over ON attempts (at);
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY attempts_of_worker ON attempts TO identity_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON attempts TO identity_service_worker;
GRANT USAGE ON SEQUENCE attempts_id_seq TO identity_service_worker;

-- Answers of idempotent requests go after a day, by whoever looks for old ones.
GRANT SELECT (created_at) ON idempotency_keys TO identity_service_worker;
