-- Dead letters: replayed, with the attempts before it kept, or discarded with a reason. The way of a render.

-- +goose Up

ALTER TABLE deliveries ADD COLUMN spent          BIGINT NOT NULL DEFAULT 0;  -- attempts before it was last replayed: they count no more
ALTER TABLE deliveries ADD COLUMN discarded_at   BIGINT;
ALTER TABLE deliveries ADD COLUMN discarded_by   TEXT   NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN discard_reason TEXT   NOT NULL DEFAULT '';
ALTER TABLE renders ADD COLUMN lane TEXT NOT NULL DEFAULT ''; -- the way that it took in the engine
CREATE INDEX deliveries_newest ON deliveries (created_at, id);
CREATE INDEX deliveries_item ON deliveries (owner, key);
CREATE INDEX deliveries_cause ON deliveries (cause, ended_at) WHERE state = 'dead';

-- +goose Down

DROP INDEX deliveries_cause;
DROP INDEX deliveries_item;
DROP INDEX deliveries_newest;
ALTER TABLE renders DROP COLUMN lane;
ALTER TABLE deliveries DROP COLUMN discard_reason;
ALTER TABLE deliveries DROP COLUMN discarded_by;
ALTER TABLE deliveries DROP COLUMN discarded_at;
ALTER TABLE deliveries DROP COLUMN spent;
