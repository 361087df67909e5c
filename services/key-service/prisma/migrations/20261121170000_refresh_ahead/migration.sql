-- Tokens that say when they end are refreshed before that; `due_at` is planned then.
ALTER TABLE refresh_tokens
  ADD COLUMN expires_at  timestamptz(3),
  -- A network was asked for another pair and its answer never came whole: the pair may be replaced already.
  ADD COLUMN answer_lost boolean NOT NULL DEFAULT false;
