-- Calls of an item that failed by fault of a key: they cost no attempt, but there is an end to them.
ALTER TABLE items ADD COLUMN key_faults smallint NOT NULL DEFAULT 0;
