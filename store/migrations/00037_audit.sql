-- Who changed what. An entry is written before its change, and its end once.

-- +goose Up

CREATE TABLE audit (
    id      TEXT   PRIMARY KEY, -- in the order of time
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    via     TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    before  TEXT   NOT NULL,
    after   TEXT   NOT NULL,
    status  BIGINT NOT NULL, -- 0: not ended
    request TEXT   NOT NULL
);
CREATE INDEX audit_of ON audit (kind, name, id);
CREATE INDEX audit_by ON audit (actor, id);
CREATE INDEX audit_at ON audit (at);

-- +goose Down

DROP TABLE audit;
