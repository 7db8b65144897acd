-- How current a source is.

-- +goose Up

ALTER TABLE sources ADD COLUMN begun_at BIGINT;     -- the newest reading
ALTER TABLE sources ADD COLUMN ended_at BIGINT;     -- the newest that ended, however
ALTER TABLE sources ADD COLUMN confirmed_at BIGINT; -- what is stored was all that there was
ALTER TABLE sources ADD COLUMN changed_at BIGINT;   -- a row last changed
ALTER TABLE sources ADD COLUMN unchanged BIGINT NOT NULL DEFAULT 0; -- readings since, that were closed
ALTER TABLE sources ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;  -- readings in a row that died

-- +goose Down

ALTER TABLE sources DROP COLUMN failures;
ALTER TABLE sources DROP COLUMN unchanged;
ALTER TABLE sources DROP COLUMN changed_at;
ALTER TABLE sources DROP COLUMN confirmed_at;
ALTER TABLE sources DROP COLUMN ended_at;
ALTER TABLE sources DROP COLUMN begun_at;
