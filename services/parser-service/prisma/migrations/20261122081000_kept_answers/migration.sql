-- The answer to a call from the moment it came until what it says is stored: a process that dies meanwhile does not ask again.
ALTER TABLE calls
  ADD COLUMN answer       text,
  ADD COLUMN answer_facts jsonb;
