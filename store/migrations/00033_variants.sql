-- As which variant of an experiment the rows of bindings and batches are drawn.

-- +goose Up

ALTER TABLE items ADD COLUMN assigned TEXT NOT NULL DEFAULT '';      -- JSON: experiment, unit, variant; '' where it is in none
ALTER TABLE deliveries ADD COLUMN assigned TEXT NOT NULL DEFAULT ''; -- likewise, as it is told
ALTER TABLE jobs ADD COLUMN experiment TEXT NOT NULL DEFAULT '';     -- JSON: slug, unit, id, versions of the variants' templates

-- +goose Down

ALTER TABLE jobs DROP COLUMN experiment;
ALTER TABLE deliveries DROP COLUMN assigned;
ALTER TABLE items DROP COLUMN assigned;
