-- How often a call was begun. It is an attempt of each of its items, which have it in their own count when the call ends:
-- to write it into 25 rows at each beginning was as much work for the database as storing what the call brought.
ALTER TABLE calls ADD COLUMN begins smallint NOT NULL DEFAULT 0;
