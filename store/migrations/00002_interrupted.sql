-- +goose Up

-- The reading that wrote rows and has not closed; one that died stays until the
-- next one closes.
ALTER TABLE sources ADD COLUMN unclosed TEXT NOT NULL DEFAULT '';

-- Who has the bytes of a hash is asked when they have vanished.
CREATE INDEX renders_hash ON renders (hash) WHERE hash <> '';
CREATE INDEX images_hash ON images (hash) WHERE hash <> '';

-- The rows that failed are listed by key.
DROP INDEX items_failed;
CREATE INDEX items_failed ON items (owner, idx, key) WHERE state = 'failed';

-- +goose Down

DROP INDEX items_failed;
CREATE INDEX items_failed ON items (owner, idx) WHERE state = 'failed';
DROP INDEX images_hash;
DROP INDEX renders_hash;
ALTER TABLE sources DROP COLUMN unclosed;
