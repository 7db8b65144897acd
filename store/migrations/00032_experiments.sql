-- Experiments on images, the units that were assigned, and what those did.

-- +goose Up

CREATE TABLE experiments (
    id          TEXT   PRIMARY KEY,
    slug        TEXT   NOT NULL UNIQUE, -- also among those that are retired
    revision    BIGINT NOT NULL,
    definition  TEXT   NOT NULL, -- JSON
    goal        TEXT   NOT NULL, -- of the definition
    status      TEXT   NOT NULL,
    origin      TEXT   NOT NULL,
    author      TEXT   NOT NULL,
    weights     TEXT   NOT NULL, -- JSON: of new units
    winner      TEXT   NOT NULL DEFAULT '',
    retired     BIGINT NOT NULL DEFAULT 0,
    ran         BIGINT NOT NULL DEFAULT 0, -- milliseconds, up to since
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    started_at  BIGINT,
    since       BIGINT,
    ended_at    BIGINT,
    ready_since BIGINT,
    events      BIGINT NOT NULL DEFAULT 0 -- the seq of the newest one
);

-- A unit keeps its variant.
CREATE TABLE experiment_assignments (
    experiment   TEXT   NOT NULL,
    unit         TEXT   NOT NULL,
    variant      TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    client       TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    exposed_at   BIGINT,
    clicked_at   BIGINT,
    converted_at BIGINT,
    owner        TEXT   NOT NULL, -- of the image that was planned for it; '': the variant's own picture
    key          TEXT   NOT NULL,
    PRIMARY KEY (experiment, unit)
);
CREATE INDEX experiment_assignments_placed ON experiment_assignments (owner, experiment) WHERE owner <> '';

CREATE TABLE experiment_events (
    experiment TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    id         TEXT   NOT NULL, -- the caller's
    kind       TEXT   NOT NULL,
    unit       TEXT   NOT NULL, -- '': erased
    variant    TEXT   NOT NULL, -- of the assignment
    claimed    TEXT   NOT NULL, -- by the caller
    channel    TEXT   NOT NULL,
    device     TEXT   NOT NULL,
    referrer   TEXT   NOT NULL,
    suspect    TEXT   NOT NULL,
    unassigned BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    metadata   TEXT   NOT NULL, -- JSON
    PRIMARY KEY (experiment, seq),
    UNIQUE (experiment, id)
);

CREATE TABLE experiment_counts (
    experiment  TEXT   NOT NULL,
    day         BIGINT NOT NULL, -- its beginning
    variant     TEXT   NOT NULL, -- '': of none
    channel     TEXT   NOT NULL,
    client      TEXT   NOT NULL,
    fetches     BIGINT NOT NULL,
    exposures   BIGINT NOT NULL,
    suspects    BIGINT NOT NULL,
    failures    BIGINT NOT NULL,
    clicks      BIGINT NOT NULL,
    conversions BIGINT NOT NULL,
    impressions BIGINT NOT NULL,
    views       BIGINT NOT NULL,
    duplicates  BIGINT NOT NULL,
    unassigned  BIGINT NOT NULL,
    mismatches  BIGINT NOT NULL,
    PRIMARY KEY (experiment, day, variant, channel, client)
);

-- The weights of new units over time.
CREATE TABLE experiment_allocations (
    experiment TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    why        TEXT   NOT NULL,
    seed       TEXT   NOT NULL, -- 64 bits without a sign
    weights    TEXT   NOT NULL, -- JSON
    units      TEXT   NOT NULL, -- JSON
    goals      TEXT   NOT NULL, -- JSON
    PRIMARY KEY (experiment, seq)
);

-- The bytes that an experiment shows; the sweep leaves them.
CREATE TABLE experiment_pictures (
    experiment  TEXT NOT NULL,
    variant     TEXT NOT NULL, -- '': its fallback
    ext         TEXT NOT NULL,
    fingerprint TEXT NOT NULL, -- of the render; '': none made it
    hash        TEXT NOT NULL,
    PRIMARY KEY (experiment, variant)
);
CREATE INDEX experiment_pictures_hash ON experiment_pictures (hash);

-- +goose Down

DROP TABLE experiment_pictures;
DROP TABLE experiment_allocations;
DROP TABLE experiment_counts;
DROP TABLE experiment_events;
DROP TABLE experiment_assignments;
DROP TABLE experiments;
