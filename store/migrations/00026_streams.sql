-- Sources that tell of their changes as they happen.

-- +goose Up

ALTER TABLE sources ADD COLUMN snapshot_seq BIGINT NOT NULL DEFAULT 0; -- number of the batch that began the snapshot under way; 0: none is
ALTER TABLE sources ADD COLUMN resnapshot BIGINT NOT NULL DEFAULT 0;   -- somebody wants all rows to be read again
ALTER TABLE sources ADD COLUMN gap TEXT NOT NULL DEFAULT '';           -- why changes may have been missed, until all rows were read again
ALTER TABLE sources ADD COLUMN gap_at BIGINT;
ALTER TABLE sources ADD COLUMN gaps BIGINT NOT NULL DEFAULT 0;         -- that there were

ALTER TABLE quarantine ADD COLUMN seq BIGINT NOT NULL DEFAULT 0; -- the version that the row would have had
ALTER TABLE quarantine ADD COLUMN at BIGINT;
ALTER TABLE quarantine ADD COLUMN raw TEXT NOT NULL DEFAULT '';  -- base64, where it can be tried again

-- What is kept for us at the servers of streams, from before it is made until it was given back.
CREATE TABLE stream_holds (
    source TEXT   NOT NULL,
    digest TEXT   NOT NULL, -- of what is held
    spec   TEXT   NOT NULL, -- the configuration that it is held with, sealed
    since  BIGINT NOT NULL,
    PRIMARY KEY (source, digest)
);

-- +goose Down

DROP TABLE stream_holds;
ALTER TABLE quarantine DROP COLUMN raw;
ALTER TABLE quarantine DROP COLUMN at;
ALTER TABLE quarantine DROP COLUMN seq;
ALTER TABLE sources DROP COLUMN gaps;
ALTER TABLE sources DROP COLUMN gap_at;
ALTER TABLE sources DROP COLUMN gap;
ALTER TABLE sources DROP COLUMN resnapshot;
ALTER TABLE sources DROP COLUMN snapshot_seq;
