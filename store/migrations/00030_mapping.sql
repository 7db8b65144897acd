-- How a batch maps the columns of its rows to variables.

-- +goose Up

ALTER TABLE jobs ADD COLUMN mapping TEXT NOT NULL DEFAULT ''; -- JSON: variable to expression

-- +goose Down

ALTER TABLE jobs DROP COLUMN mapping;
