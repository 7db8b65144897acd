-- Who works with the ledger beside whoever holds it, and what everybody has to know
-- who does: by which revision of it, and whom events go to.

-- +goose Up

CREATE TABLE members (
    id      TEXT   PRIMARY KEY, -- random, of one opening; its turns in the queue have it
    number  BIGINT NOT NULL,    -- of its locks; 0: it holds the ledger
    place   TEXT   NOT NULL,    -- of its process, for people
    version TEXT   NOT NULL,
    roles   TEXT   NOT NULL,    -- a JSON list
    address TEXT   NOT NULL,    -- where its API answers; '': nowhere
    slots   BIGINT NOT NULL,    -- turns that draw at a time
    since   BIGINT NOT NULL,
    noted   BIGINT NOT NULL     -- 1: the holder reckons with it
);
CREATE UNIQUE INDEX members_number ON members (number);

CREATE TABLE ledger_revisions (
    name   TEXT   PRIMARY KEY,
    number BIGINT NOT NULL -- one more at each change
);
INSERT INTO ledger_revisions (name, number) VALUES
    ('members', 0), ('routes', 0), ('subscriptions', 0), ('resources', 0), ('templates', 0), ('keys', 0);

CREATE TABLE ledger_routes (
    one    BIGINT PRIMARY KEY CHECK (one = 1), -- there is one row
    routes TEXT   NOT NULL                     -- JSON, of the holder's configuration
);
INSERT INTO ledger_routes (one, routes) VALUES (1, '');

-- +goose Down

DROP TABLE ledger_routes;
DROP TABLE ledger_revisions;
DROP TABLE members;
