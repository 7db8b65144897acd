-- Rows that came outside of a reading: somebody sent them, or asked for them.

-- +goose Up

ALTER TABLE sources ADD COLUMN told_at BIGINT; -- when the last of them came

-- +goose Down

ALTER TABLE sources DROP COLUMN told_at;
