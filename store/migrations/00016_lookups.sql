-- +goose Up

-- Which rows of other sources the rows of bindings were planned with, also those
-- that there were not.
CREATE TABLE lookup_reads (
    binding  TEXT NOT NULL,
    key      TEXT NOT NULL, -- of the binding's row
    source   TEXT NOT NULL,
    read_key TEXT NOT NULL, -- of the row that was joined to it
    PRIMARY KEY (source, read_key, binding, key)
);
CREATE INDEX lookup_reads_row ON lookup_reads (binding, key);

-- Which bindings have joined rows of which sources.
CREATE TABLE lookup_sources (
    source  TEXT NOT NULL,
    binding TEXT NOT NULL,
    PRIMARY KEY (source, binding)
);

-- Rows of other sources that are no longer as rows of a binding were planned with
-- them: those rows are to be planned again.
CREATE TABLE lookup_changes (
    binding TEXT   NOT NULL,
    source  TEXT   NOT NULL,
    key     TEXT   NOT NULL,
    mark    BIGINT NOT NULL, -- another one at each change
    PRIMARY KEY (binding, source, key)
);

ALTER TABLE bindings ADD COLUMN lookups BIGINT NOT NULL DEFAULT 0; -- how often the guard judged such changes

-- +goose Down

ALTER TABLE bindings DROP COLUMN lookups;
DROP TABLE lookup_changes;
DROP TABLE lookup_sources;
DROP TABLE lookup_reads;
