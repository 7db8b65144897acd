-- +goose Up

-- A run is a job that reads its rows from the source of a binding.
ALTER TABLE jobs ADD COLUMN binding TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN cause TEXT NOT NULL DEFAULT ''; -- schedule, run, refresh; '' is a batch
ALTER TABLE jobs ADD COLUMN run_for BIGINT;                 -- the moment that it is for
ALTER TABLE jobs ADD COLUMN phase TEXT NOT NULL DEFAULT ''; -- waiting, reading, drawing
ALTER TABLE jobs ADD COLUMN read_rows BIGINT NOT NULL DEFAULT 0; -- of its reading, those that the binding draws
ALTER TABLE jobs ADD COLUMN read_tries BIGINT NOT NULL DEFAULT 0; -- readings that failed
ALTER TABLE jobs ADD COLUMN read_after BIGINT NOT NULL DEFAULT 0; -- not before, the next one
ALTER TABLE jobs ADD COLUMN note TEXT NOT NULL DEFAULT '';  -- why its reading is not whole, or failed last

CREATE INDEX jobs_unread ON jobs (source, run_for) WHERE phase IN ('waiting', 'reading');
CREATE INDEX jobs_of_binding ON jobs (binding, created_at) WHERE binding <> '';

-- Up to which time the schedule of a source is done.
CREATE TABLE schedules (
    source   TEXT   PRIMARY KEY,
    rule     TEXT   NOT NULL, -- another one begins anew
    last_for BIGINT NOT NULL
);

-- The moment of the binding's last run: what its clock shows.
ALTER TABLE bindings ADD COLUMN clock BIGINT;

-- +goose Down

ALTER TABLE bindings DROP COLUMN clock;
DROP TABLE schedules;
DELETE FROM job_rows WHERE job IN (SELECT id FROM jobs WHERE phase IN ('waiting', 'reading'));
DELETE FROM jobs WHERE phase IN ('waiting', 'reading');
DROP INDEX jobs_of_binding;
DROP INDEX jobs_unread;
ALTER TABLE jobs DROP COLUMN note;
ALTER TABLE jobs DROP COLUMN read_after;
ALTER TABLE jobs DROP COLUMN read_tries;
ALTER TABLE jobs DROP COLUMN read_rows;
ALTER TABLE jobs DROP COLUMN phase;
ALTER TABLE jobs DROP COLUMN run_for;
ALTER TABLE jobs DROP COLUMN cause;
ALTER TABLE jobs DROP COLUMN source;
ALTER TABLE jobs DROP COLUMN binding;
