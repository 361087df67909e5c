-- The last two tables without forced row-level security. The serving role only ever adds to the outbox and has no right
-- to where the dead-letter topics are read; both hold rows of all workspaces, which the worker role alone goes through.
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY outbox_add ON outbox FOR INSERT TO parser_service_app WITH CHECK (true);
CREATE POLICY outbox_relay ON outbox TO parser_service_worker USING (true) WITH CHECK (true);

ALTER TABLE dead_record_positions ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_record_positions FORCE ROW LEVEL SECURITY;
CREATE POLICY dead_record_positions_of_worker ON dead_record_positions
  TO parser_service_worker USING (true) WITH CHECK (true);
