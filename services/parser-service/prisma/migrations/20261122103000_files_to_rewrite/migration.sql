-- At most one row: people were taken out of rows, and the files of the database hold their bytes until those are written
-- anew. It names nobody.
CREATE TABLE files_to_rewrite (
  one      boolean     PRIMARY KEY DEFAULT true CHECK (one),
  first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- People were taken out before there was a note of it; a database that never had an import has none. Rows cannot be
-- counted here (row-level security), and what the planner knows of a table is -1 before its first ANALYZE.
INSERT INTO files_to_rewrite SELECT true WHERE pg_relation_size('imports') > 0;
ALTER TABLE files_to_rewrite ENABLE ROW LEVEL SECURITY;
ALTER TABLE files_to_rewrite FORCE ROW LEVEL SECURITY;
CREATE POLICY files_to_rewrite_of_worker ON files_to_rewrite TO parser_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON files_to_rewrite TO parser_service_worker;
