-- Files that analysts upload, one row for each person of a file; an import of a network `file...` reads them.
CREATE TABLE uploads (
  id           uuid           PRIMARY KEY,
  workspace_id text           NOT NULL,
  network      text           NOT NULL,
  kind         text           NOT NULL CHECK (kind IN ('friendships', 'people')),
  -- SHA-256 of the file as it is unpacked: the same file for the same network is the same upload.
  digest       text           NOT NULL,
  bytes        bigint         NOT NULL,
  people       integer        NOT NULL,
  friendships  integer        NOT NULL,
  fields       text[]         NOT NULL,
  created_by   text           NOT NULL,
  created_at   timestamptz(3) NOT NULL,
  kept_since   timestamptz(3) NOT NULL,
  -- Nobody sees it any more; its rows go piece by piece.
  removed      boolean        NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX uploads_by_digest ON uploads (workspace_id, network, kind, digest) WHERE NOT removed;

CREATE TABLE uploaded_people (
  upload_id    uuid NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
  person       text COLLATE "C" NOT NULL,
  workspace_id text NOT NULL,
  -- Ids with commas between them: a third of the room of an array. Null in a file of people.
  friends      text,
  profile      jsonb,
  PRIMARY KEY (upload_id, person)
);

DO $$
DECLARE
  scoped text;
BEGIN
  FOREACH scoped IN ARRAY ARRAY['uploads', 'uploaded_people'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', scoped);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', scoped);
    EXECUTE format(
      'CREATE POLICY %I ON %I TO parser_service_app
         USING (workspace_id = current_setting(''app.workspace_id'', true))
         WITH CHECK (workspace_id = current_setting(''app.workspace_id'', true))',
      scoped || '_of_workspace', scoped);
    EXECUTE format(
      'CREATE POLICY %I ON %I TO parser_service_worker USING (true) WITH CHECK (true)',
      scoped || '_of_worker', scoped);
  END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON uploads TO parser_service_app;
GRANT INSERT ON uploaded_people TO parser_service_app;
-- UPDATE where rows are locked before they are deleted.
GRANT SELECT, UPDATE, DELETE ON uploads, uploaded_people TO parser_service_worker;
