-- Runs of the copilot, what happened in them, and the pictures that they show.

-- +goose Up

CREATE TABLE copilot_runs (
    id         TEXT   PRIMARY KEY,
    template   TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    open       BIGINT NOT NULL, -- 1: the copilot works on it, or waits for an answer
    model      TEXT   NOT NULL,
    tokens     BIGINT NOT NULL, -- in and out, so far
    cost       DOUBLE PRECISION NOT NULL,
    run        TEXT   NOT NULL, -- JSON, whole
    created_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE UNIQUE INDEX copilot_runs_open ON copilot_runs (template) WHERE open = 1;
CREATE INDEX copilot_runs_template ON copilot_runs (template, created_at, id);
CREATE INDEX copilot_runs_created ON copilot_runs (created_at, id);
CREATE INDEX copilot_runs_ended ON copilot_runs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE copilot_events (
    run  TEXT   NOT NULL,
    seq  BIGINT NOT NULL, -- from 1 within the run
    kind TEXT   NOT NULL,
    data TEXT   NOT NULL, -- JSON
    at   BIGINT NOT NULL,
    PRIMARY KEY (run, seq)
);

-- Small ones, which nobody else shows: they go with their run.
CREATE TABLE copilot_pictures (
    run        TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    media_type TEXT   NOT NULL,
    data       BYTEA  NOT NULL,
    PRIMARY KEY (run, name)
);

-- +goose Down

DROP TABLE copilot_pictures;
DROP TABLE copilot_events;
DROP TABLE copilot_runs;
