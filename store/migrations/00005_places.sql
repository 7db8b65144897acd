-- +goose Up

-- Which row among those of the same moment a render is for: the outputs of a
-- row, which may share a loaded page, are claimed one after the other.
ALTER TABLE renders ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
DROP INDEX renders_waiting;
CREATE INDEX renders_waiting ON renders (priority, owner, created_at, place, fingerprint) WHERE state = 'waiting';

-- +goose Down

DROP INDEX renders_waiting;
CREATE INDEX renders_waiting ON renders (priority, owner, created_at, fingerprint) WHERE state = 'waiting';
ALTER TABLE renders DROP COLUMN place;
