-- What the pool learned of the path to a network: it survives every loss of Redis. No workspace's own; leasing only.
CREATE TABLE learned_paths (
  network    text        PRIMARY KEY,
  path       jsonb       NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE learned_paths ENABLE ROW LEVEL SECURITY;
ALTER TABLE learned_paths FORCE ROW LEVEL SECURITY;
CREATE POLICY learned_paths_of_worker ON learned_paths TO key_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON learned_paths TO key_service_worker;
