-- What became of deliveries: each try that failed, the one that arrived, and how the sinks fare.

-- +goose Up

ALTER TABLE deliveries ADD COLUMN tried_at BIGINT;                  -- the try that arrived
ALTER TABLE deliveries ADD COLUMN took     BIGINT NOT NULL DEFAULT 0;  -- microseconds
ALTER TABLE deliveries ADD COLUMN receipt  TEXT   NOT NULL DEFAULT ''; -- JSON
ALTER TABLE deliveries ADD COLUMN cause    TEXT   NOT NULL DEFAULT ''; -- of a dead one: what groups it with others

CREATE TABLE delivery_attempts (
    delivery TEXT   NOT NULL,
    attempt  BIGINT NOT NULL, -- counts from 1
    at       BIGINT NOT NULL,
    took     BIGINT NOT NULL, -- microseconds
    receipt  TEXT   NOT NULL, -- JSON
    error    TEXT   NOT NULL,
    PRIMARY KEY (delivery, attempt)
);

-- A sink without a row is well.
CREATE TABLE sink_states (
    sink          TEXT   PRIMARY KEY,
    paused        BIGINT NOT NULL DEFAULT 0,  -- 1: somebody paused it
    disabled_at   BIGINT,                     -- it failed for good
    reason        TEXT   NOT NULL DEFAULT '', -- of that
    failing_since BIGINT,                     -- nothing has arrived since
    failures      BIGINT NOT NULL DEFAULT 0,  -- one after the other
    rest_until    BIGINT NOT NULL DEFAULT 0,  -- nothing is sent before
    arrived_at    BIGINT
);

-- planned = delivered + waiting + dead + superseded, of which the waiting ones and the dead letters are rows of deliveries.
CREATE TABLE delivery_counts (
    sink       TEXT   PRIMARY KEY, -- of jobs: batch, batch_rows
    planned    BIGINT NOT NULL DEFAULT 0,
    delivered  BIGINT NOT NULL DEFAULT 0,
    superseded BIGINT NOT NULL DEFAULT 0, -- something newer was told instead, or nobody was left to tell
    discarded  BIGINT NOT NULL DEFAULT 0  -- dead letters that somebody has discarded
);

-- +goose Down

DROP TABLE delivery_counts;
DROP TABLE sink_states;
DROP TABLE delivery_attempts;
ALTER TABLE deliveries DROP COLUMN cause;
ALTER TABLE deliveries DROP COLUMN receipt;
ALTER TABLE deliveries DROP COLUMN took;
ALTER TABLE deliveries DROP COLUMN tried_at;
