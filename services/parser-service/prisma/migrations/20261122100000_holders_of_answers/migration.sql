-- Who works on a request that has no answer yet: the number of the advisory lock that the holder's process has.
ALTER TABLE idempotency_keys ADD COLUMN holder bigint;
