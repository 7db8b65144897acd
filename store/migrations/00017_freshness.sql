-- How current a source is.

-- +goose Up

ALTER TABLE sources ADD COLUMN confirmed_at BIGINT; -- what is stored was all that there was
ALTER TABLE sources ADD COLUMN changed_at BIGINT;   -- a row last changed

-- +goose Down

ALTER TABLE sources DROP COLUMN changed_at;
ALTER TABLE sources DROP COLUMN confirmed_at;
