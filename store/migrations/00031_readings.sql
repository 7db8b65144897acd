-- What the last readings of a source were, and which rows the newest one that changed
-- something changed, with their values before.

-- +goose Up

CREATE TABLE source_readings (
    source   TEXT   NOT NULL,
    seq      BIGINT NOT NULL,
    reading  TEXT   NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,                       -- NULL: it has not ended
    fresh    BIGINT NOT NULL DEFAULT 0,    -- 1: there were no rows before it
    seen     BIGINT NOT NULL DEFAULT 0,    -- rows that it had
    added    BIGINT NOT NULL DEFAULT 0,
    changed  BIGINT NOT NULL DEFAULT 0,
    removed  BIGINT NOT NULL DEFAULT 0,
    kept     BIGINT NOT NULL DEFAULT 0,    -- of them with their values
    faults   BIGINT NOT NULL DEFAULT 0,    -- rows that were kept out
    complete BIGINT NOT NULL DEFAULT 0,
    reason   TEXT   NOT NULL DEFAULT '',   -- why it was not
    error    TEXT   NOT NULL DEFAULT '',   -- why it failed
    held     TEXT   NOT NULL DEFAULT '',   -- JSON: what the guard held of each binding
    PRIMARY KEY (source, seq)
);

CREATE TABLE source_changes (
    source TEXT NOT NULL,
    key    TEXT NOT NULL,
    change TEXT NOT NULL,   -- added, changed, removed
    before TEXT NOT NULL,   -- canonical JSON; '' of a row that was added
    after  TEXT NOT NULL,   -- likewise; '' of a row that was removed
    PRIMARY KEY (source, key)
);
