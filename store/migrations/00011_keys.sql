-- +goose Up

-- The keys that were made over the API. A key itself is nowhere.
CREATE TABLE api_keys (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    digest     TEXT   NOT NULL UNIQUE, -- SHA-256
    start      TEXT   NOT NULL,
    scopes     TEXT   NOT NULL, -- JSON
    templates  TEXT   NOT NULL, -- JSON
    origins    TEXT   NOT NULL, -- JSON
    rate       BIGINT NOT NULL,
    quota      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

-- When a key was last used, about. Those of the configuration are here too.
CREATE TABLE api_key_uses (
    owner   TEXT   PRIMARY KEY,
    used_at BIGINT NOT NULL
);

-- What was taken from the quota of a key in one period.
CREATE TABLE api_spending (
    owner    TEXT   NOT NULL,
    period   TEXT   NOT NULL,
    began_at BIGINT NOT NULL,
    images   BIGINT NOT NULL,
    PRIMARY KEY (owner, period)
);

-- +goose Down

DROP TABLE api_spending;
DROP TABLE api_key_uses;
DROP TABLE api_keys;
