-- Limits of a minute and more: calls are booked here in blocks before the pool's memory may spend them, so that no loss
-- of that memory lets a limit be overstepped. A block counts whole until its span has passed after it was closed; what
-- was left in it when it was closed never was spent. Only leasing reads and writes it: the serving role has no policy.
CREATE TABLE budget_blocks (
  id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  bucket     text        NOT NULL,
  limit_name text        NOT NULL CHECK (limit_name IN ('minute', 'hour', 'day')),
  -- Of a method's own limit; '' where all calls count.
  method     text        NOT NULL DEFAULT '',
  size       integer     NOT NULL CHECK (size >= 0),
  -- The memory of the pool that may spend it.
  epoch      bigint      NOT NULL,
  booked_at  timestamptz NOT NULL DEFAULT now(),
  -- Nothing of it is granted later than this.
  closed_at  timestamptz
);
CREATE INDEX budget_blocks_counted ON budget_blocks (bucket, limit_name, method, closed_at);
CREATE INDEX budget_blocks_open ON budget_blocks (epoch) WHERE closed_at IS NULL;
CREATE INDEX budget_blocks_over ON budget_blocks (closed_at) WHERE closed_at IS NOT NULL;

ALTER TABLE budget_blocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget_blocks FORCE ROW LEVEL SECURITY;
CREATE POLICY budget_blocks_of_worker ON budget_blocks TO key_service_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON budget_blocks TO key_service_worker;
