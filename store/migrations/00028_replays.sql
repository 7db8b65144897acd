-- What was kept out of a stream and is tried again.

-- +goose Up

ALTER TABLE quarantine ADD COLUMN tries BIGINT NOT NULL DEFAULT 0; -- that were in vain
ALTER TABLE quarantine ADD COLUMN tried_at BIGINT;
CREATE INDEX quarantine_seq ON quarantine (source, seq, position, key);

-- +goose Down

DROP INDEX quarantine_seq;
ALTER TABLE quarantine DROP COLUMN tried_at;
ALTER TABLE quarantine DROP COLUMN tries;
