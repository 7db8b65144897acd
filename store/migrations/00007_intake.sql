-- +goose Up

-- What a batch asked for beside its pictures.
ALTER TABLE jobs ADD COLUMN priority TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN max_errors BIGINT NOT NULL DEFAULT 0;

-- +goose Down

ALTER TABLE jobs DROP COLUMN max_errors;
ALTER TABLE jobs DROP COLUMN priority;
