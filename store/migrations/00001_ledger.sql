-- The ledger. One text for SQLite and Postgres: only TEXT and BIGINT, times in
-- milliseconds since 1970, JSON as TEXT, '' where there is nothing. NULL stands
-- only for a moment that has not come.

-- +goose Up

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE templates (
    name       TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    digest     TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    assets     TEXT   NOT NULL, -- JSON: path to digest
    author     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (name, number)
);

CREATE TABLE sources (
    name     TEXT   PRIMARY KEY,
    wanted   BIGINT NOT NULL DEFAULT 0,  -- somebody wishes a reading
    seq      BIGINT NOT NULL DEFAULT 0,  -- of the newest reading
    begun_by BIGINT NOT NULL DEFAULT 0,  -- the turn that began it
    position TEXT   NOT NULL DEFAULT '', -- the connector's cursor, base64
    read_at  BIGINT,                     -- end of the last closed reading
    complete BIGINT NOT NULL DEFAULT 0,
    reason   TEXT   NOT NULL DEFAULT '', -- why it was not
    emptied  BIGINT NOT NULL DEFAULT 0,  -- it had no rows where there were some, and is held
    error    TEXT   NOT NULL DEFAULT '',
    error_at BIGINT
);

CREATE TABLE bindings (
    name         TEXT   PRIMARY KEY,
    source       TEXT   NOT NULL,
    digest       TEXT   NOT NULL DEFAULT '', -- it was last planned with
    read_once    BIGINT NOT NULL DEFAULT 0,  -- a reading of it was closed
    gone         BIGINT NOT NULL DEFAULT 0,  -- no longer configured
    held_changes BIGINT NOT NULL DEFAULT 0,
    held_removal BIGINT NOT NULL DEFAULT 0,
    held_reason  TEXT   NOT NULL DEFAULT '',
    ceiling      BIGINT NOT NULL DEFAULT 0   -- so many removals a person has accepted
);
CREATE INDEX bindings_source ON bindings (source);

CREATE TABLE source_rows (
    source        TEXT   NOT NULL,
    key           TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    data          TEXT   NOT NULL, -- canonical values
    digest        TEXT   NOT NULL,
    missing_since BIGINT,          -- absent from complete readings since
    gone          BIGINT NOT NULL DEFAULT 0, -- the source said so; what stays is its version, so that nothing older returns
    PRIMARY KEY (source, key)
);
CREATE INDEX source_rows_missing ON source_rows (source, missing_since) WHERE missing_since IS NOT NULL;

CREATE TABLE quarantine (
    source   TEXT NOT NULL,
    reading  TEXT NOT NULL,
    key      TEXT NOT NULL,
    position TEXT NOT NULL,
    reason   TEXT NOT NULL,
    detail   TEXT NOT NULL
);
CREATE INDEX quarantine_source ON quarantine (source, reading);

-- An item is the images of one row of a binding (idx 0), or of a job.
CREATE TABLE items (
    owner           TEXT   NOT NULL,
    idx             BIGINT NOT NULL,
    key             TEXT   NOT NULL,
    generation      BIGINT NOT NULL,            -- 0: proposed only
    digest          TEXT   NOT NULL DEFAULT '', -- of what is wanted
    state           TEXT   NOT NULL DEFAULT '', -- waiting, ready, failed, removed
    problem         TEXT   NOT NULL DEFAULT '', -- JSON: why there can be no picture
    pending         BIGINT NOT NULL DEFAULT 0,  -- outputs that have not ended
    failures        BIGINT NOT NULL DEFAULT 0,  -- outputs that failed
    proposed_digest TEXT   NOT NULL DEFAULT '',
    proposed_in     TEXT   NOT NULL DEFAULT '',
    proposed        TEXT   NOT NULL DEFAULT '', -- JSON
    PRIMARY KEY (owner, idx, key)
);
CREATE INDEX items_proposed ON items (owner, proposed_in) WHERE proposed_digest <> '';
CREATE INDEX items_failed ON items (owner, idx) WHERE state = 'failed';

-- An image is one output of an item: what it should be, and what it is.
CREATE TABLE images (
    owner       TEXT   NOT NULL,
    idx         BIGINT NOT NULL,
    key         TEXT   NOT NULL,
    output      TEXT   NOT NULL,
    place       BIGINT NOT NULL, -- among the outputs of the item
    generation  BIGINT NOT NULL,
    fingerprint TEXT   NOT NULL,
    state       TEXT   NOT NULL, -- waiting, ready, failed, removed
    problem     TEXT   NOT NULL DEFAULT '',
    hash        TEXT   NOT NULL DEFAULT '', -- of the bytes that are served
    ext         TEXT   NOT NULL DEFAULT '',
    format      TEXT   NOT NULL DEFAULT '',
    width       BIGINT NOT NULL DEFAULT 0,
    height      BIGINT NOT NULL DEFAULT 0,
    rendered_at BIGINT,
    PRIMARY KEY (owner, idx, key, output)
);
CREATE INDEX images_waiting ON images (fingerprint) WHERE state = 'waiting';
CREATE INDEX images_newest ON images (rendered_at) WHERE rendered_at IS NOT NULL;

-- A render is the work that gives a fingerprint its bytes, whoever wants it.
CREATE TABLE renders (
    fingerprint TEXT   PRIMARY KEY,
    spec        TEXT   NOT NULL, -- JSON
    page        TEXT   NOT NULL, -- the group: template page and format
    format      TEXT   NOT NULL,
    owner       TEXT   NOT NULL, -- who asked soonest
    priority    BIGINT NOT NULL,
    state       TEXT   NOT NULL, -- waiting, claimed, done, failed
    attempts    BIGINT NOT NULL DEFAULT 0,
    claimed_by  BIGINT NOT NULL DEFAULT 0, -- the turn
    due_at      BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    hash        TEXT   NOT NULL DEFAULT '',
    ext         TEXT   NOT NULL DEFAULT '',
    bytes       BIGINT NOT NULL DEFAULT 0,
    width       BIGINT NOT NULL DEFAULT 0,
    height      BIGINT NOT NULL DEFAULT 0,
    duration    BIGINT NOT NULL DEFAULT 0, -- microseconds
    assets      TEXT   NOT NULL DEFAULT '', -- JSON: digests
    problem     TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX renders_waiting ON renders (priority, owner, created_at, fingerprint) WHERE state = 'waiting';
CREATE INDEX renders_claimed ON renders (claimed_by) WHERE state = 'claimed';

-- The outbox. A delivery's text is fixed when it is planned, so that every try says the same.
CREATE TABLE deliveries (
    id         TEXT   PRIMARY KEY,
    sink       TEXT   NOT NULL,
    owner      TEXT   NOT NULL,
    key        TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    event      TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    state      TEXT   NOT NULL, -- waiting, claimed, delivered, dead, superseded
    attempts   BIGINT NOT NULL DEFAULT 0,
    claimed_by BIGINT NOT NULL DEFAULT 0,
    due_at     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT,
    error      TEXT   NOT NULL DEFAULT '',
    data       TEXT   NOT NULL DEFAULT '', -- the row's values
    outputs    TEXT   NOT NULL DEFAULT ''  -- JSON
);
CREATE INDEX deliveries_waiting ON deliveries (sink, due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_claimed ON deliveries (claimed_by) WHERE state = 'claimed';
CREATE INDEX deliveries_dead ON deliveries (ended_at) WHERE state = 'dead';
CREATE INDEX deliveries_thread ON deliveries (sink, owner, key, generation);

CREATE TABLE jobs (
    id              TEXT   PRIMARY KEY,
    template        TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    outputs         TEXT   NOT NULL, -- JSON
    row_key         TEXT   NOT NULL,
    metadata        TEXT   NOT NULL,
    webhook_url     TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    body_digest     TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    unplanned       BIGINT NOT NULL, -- rows are left to be planned
    total           BIGINT NOT NULL,
    planned         BIGINT NOT NULL DEFAULT 0,
    succeeded       BIGINT NOT NULL DEFAULT 0,
    failed          BIGINT NOT NULL DEFAULT 0,
    deduped         BIGINT NOT NULL DEFAULT 0,
    created_at      BIGINT NOT NULL,
    started_at      BIGINT,
    completed_at    BIGINT
);
CREATE UNIQUE INDEX jobs_idempotency ON jobs (idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX jobs_newest ON jobs (created_at);
CREATE INDEX jobs_unplanned ON jobs (id) WHERE unplanned = 1;
CREATE INDEX jobs_open ON jobs (id) WHERE completed_at IS NULL;

CREATE TABLE job_rows (
    job   TEXT   NOT NULL,
    idx   BIGINT NOT NULL,
    key   TEXT   NOT NULL,
    data  TEXT   NOT NULL, -- as sent
    error TEXT   NOT NULL, -- JSON
    PRIMARY KEY (job, idx)
);

CREATE TABLE asset_pins (
    id           TEXT   PRIMARY KEY, -- SHA-256 of the URL, which may be too long for an index
    url          TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    content_type TEXT   NOT NULL,
    size         BIGINT NOT NULL,
    fetched_at   BIGINT NOT NULL
);

-- +goose Down

DROP TABLE asset_pins;
DROP TABLE job_rows;
DROP TABLE jobs;
DROP TABLE deliveries;
DROP TABLE renders;
DROP TABLE images;
DROP TABLE items;
DROP TABLE quarantine;
DROP TABLE source_rows;
DROP TABLE bindings;
DROP TABLE sources;
DROP TABLE templates;
DROP TABLE settings;
