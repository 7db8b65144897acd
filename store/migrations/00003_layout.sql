-- +goose Up

-- How the texts of a picture came out: JSON, '' where they are as set.
ALTER TABLE renders ADD COLUMN layout TEXT NOT NULL DEFAULT '';

-- +goose Down

ALTER TABLE renders DROP COLUMN layout;
