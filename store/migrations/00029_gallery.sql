-- The gallery: the newest images of an owner, and what stood in an image's place
-- before it.

-- +goose Up

CREATE INDEX images_of_owner ON images (owner, rendered_at) WHERE rendered_at IS NOT NULL;

ALTER TABLE past_images ADD COLUMN output TEXT NOT NULL DEFAULT '';      -- '': noted by an older pictifyd
ALTER TABLE past_images ADD COLUMN generation BIGINT NOT NULL DEFAULT 0; -- that the bytes were shown at; 0: nobody knows
ALTER TABLE past_images ADD COLUMN rendered_at BIGINT;
ALTER TABLE past_images ADD COLUMN ext TEXT NOT NULL DEFAULT '';
ALTER TABLE past_images ADD COLUMN width BIGINT NOT NULL DEFAULT 0;
ALTER TABLE past_images ADD COLUMN height BIGINT NOT NULL DEFAULT 0;

-- +goose Down

ALTER TABLE past_images DROP COLUMN height;
ALTER TABLE past_images DROP COLUMN width;
ALTER TABLE past_images DROP COLUMN ext;
ALTER TABLE past_images DROP COLUMN rendered_at;
ALTER TABLE past_images DROP COLUMN generation;
ALTER TABLE past_images DROP COLUMN output;
DROP INDEX images_of_owner;
