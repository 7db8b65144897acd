-- Who holds the ledger. On PostgreSQL each opening raises the epoch, and what an
-- older one has left connected is ended. The lock's session makes this table
-- before all others, so that it may be there already.

-- +goose Up

CREATE TABLE IF NOT EXISTS ledger_epoch (
    one    BIGINT PRIMARY KEY CHECK (one = 1), -- there is one row
    epoch  BIGINT NOT NULL,                    -- counts the openings
    holder TEXT   NOT NULL,                    -- random, of one opening; '': nobody yet
    place  TEXT   NOT NULL,                    -- of its process, for people
    since  BIGINT NOT NULL
);
INSERT INTO ledger_epoch (one, epoch, holder, place, since) VALUES (1, 0, '', '', 0) ON CONFLICT DO NOTHING;

-- +goose Down

DROP TABLE ledger_epoch;
