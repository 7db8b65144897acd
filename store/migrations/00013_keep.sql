-- +goose Up

-- Bytes that nothing showed any more when somebody looked, and since when; 0
-- where a person had them erased. Whatever shows them again ends the mark in its
-- own transaction.
CREATE TABLE blob_marks (
    hash      TEXT   PRIMARY KEY,
    marked_at BIGINT NOT NULL
);
CREATE INDEX blob_marks_due ON blob_marks (marked_at);

-- Jobs that are kept no longer, so that whoever asks is told so.
CREATE TABLE gone_jobs (
    id      TEXT   PRIMARY KEY,
    reason  TEXT   NOT NULL, -- expired, deleted
    gone_at BIGINT NOT NULL,
    emptied BIGINT NOT NULL DEFAULT 0 -- none of its rows is left
);
CREATE INDEX gone_jobs_full ON gone_jobs (id) WHERE emptied = 0;

-- Rows that a person wants never to see again, by a keyed digest of their keys.
CREATE TABLE forgotten (
    source       TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    forgotten_at BIGINT NOT NULL,
    PRIMARY KEY (source, digest)
);

-- What images were before, as long as it is kept: whoever deletes a row deletes
-- that too.
CREATE TABLE past_images (
    owner       TEXT   NOT NULL,
    idx         BIGINT NOT NULL,
    key         TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    hash        TEXT   NOT NULL,
    PRIMARY KEY (owner, idx, key, fingerprint, hash)
);
CREATE INDEX past_images_hash ON past_images (hash);
CREATE INDEX past_images_fingerprint ON past_images (fingerprint);

CREATE INDEX jobs_ended ON jobs (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX renders_failed ON renders (ended_at) WHERE state = 'failed';
CREATE INDEX render_pins_pin ON render_pins (pin);
CREATE INDEX asset_pins_digest ON asset_pins (digest);

-- +goose Down

DROP INDEX asset_pins_digest;
DROP INDEX render_pins_pin;
DROP INDEX renders_failed;
DROP INDEX jobs_ended;
DROP TABLE past_images;
DROP TABLE forgotten;
DROP TABLE gone_jobs;
DROP TABLE blob_marks;
