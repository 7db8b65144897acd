-- +goose Up

-- Sources, sinks and bindings that callers of the API made.
CREATE TABLE resources (
    kind       TEXT   NOT NULL, -- source, sink, binding
    name       TEXT   NOT NULL,
    revision   BIGINT NOT NULL, -- 1 at first, one more at each change
    spec       TEXT   NOT NULL, -- JSON, as it was sent, without its secrets
    secrets    TEXT   NOT NULL, -- JSON: path to sealed text
    made_for   TEXT   NOT NULL, -- of a source: the binding that it was made with, and goes with
    author     TEXT   NOT NULL, -- the name of a key
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- A person has stopped it: its images stay as they are.
ALTER TABLE bindings ADD COLUMN paused BIGINT NOT NULL DEFAULT 0;

-- +goose Down

ALTER TABLE bindings DROP COLUMN paused;
DROP TABLE resources;
