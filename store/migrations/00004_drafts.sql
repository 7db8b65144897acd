-- +goose Up

-- The one draft of a template. A row stays when the draft is done with, so that
-- no revision ever returns.
CREATE TABLE drafts (
    name       TEXT   PRIMARY KEY,
    base       BIGINT NOT NULL, -- the version that it began with
    revision   BIGINT NOT NULL,
    open       BIGINT NOT NULL, -- 0: it is the newest version as it stands
    source     TEXT   NOT NULL,
    assets     TEXT   NOT NULL, -- JSON: path to digest
    author     TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE draft_steps (
    name     TEXT   NOT NULL,
    revision BIGINT NOT NULL, -- that it led to
    kind     TEXT   NOT NULL,
    ops      TEXT   NOT NULL, -- JSON
    inverse  TEXT   NOT NULL, -- JSON
    touched  TEXT   NOT NULL, -- JSON
    undoes   BIGINT NOT NULL,
    author   TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (name, revision)
);

-- What each file of the templates folder last gave, or was last written as.
CREATE TABLE template_files (
    name   TEXT PRIMARY KEY,
    digest TEXT NOT NULL
);
INSERT INTO template_files (name, digest) SELECT name, digest FROM templates AS t
    WHERE number = (SELECT max(number) FROM templates AS n WHERE n.name = t.name);

-- +goose Down

DROP TABLE template_files;
DROP TABLE draft_steps;
DROP TABLE drafts;
