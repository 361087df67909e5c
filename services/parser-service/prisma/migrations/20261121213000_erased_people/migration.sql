-- Marks of erased people whose traces in imports were removed; the marks name nobody.
CREATE TABLE erased_people (
  workspace_id text        NOT NULL,
  network      text        NOT NULL,
  mark         text        NOT NULL,
  removed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (workspace_id, network, mark)
);
ALTER TABLE erased_people ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_people FORCE ROW LEVEL SECURITY;
CREATE POLICY erased_people_of_worker ON erased_people TO parser_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON erased_people TO parser_service_worker;
