-- +goose Up

-- Messages that were sent to a source and taken: one that comes again is known.
CREATE TABLE inbox (
    source  TEXT   NOT NULL,
    id      TEXT   NOT NULL, -- as the sender names it
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX inbox_seen ON inbox (seen_at);

-- +goose Down

DROP TABLE inbox;
