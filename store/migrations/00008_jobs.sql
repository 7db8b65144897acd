-- +goose Up

-- Why the rows that are left end: JSON, '' while the job goes on.
ALTER TABLE jobs ADD COLUMN stopped TEXT NOT NULL DEFAULT '';
-- 1: rows and renders do not stand yet as the job's state says.
ALTER TABLE jobs ADD COLUMN steering BIGINT NOT NULL DEFAULT 0;
-- Which of its ends the job works for; a retry is another one.
ALTER TABLE jobs ADD COLUMN run BIGINT NOT NULL DEFAULT 1;
-- Failed rows that are still to be planned again, and the index behind which they are.
ALTER TABLE jobs ADD COLUMN retrying BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN retry_after BIGINT NOT NULL DEFAULT -1;
-- Rows that had ended when the run began.
ALTER TABLE jobs ADD COLUMN before_run BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN paused_at BIGINT;
-- Milliseconds of the run that the job was paused.
ALTER TABLE jobs ADD COLUMN idle BIGINT NOT NULL DEFAULT 0;

CREATE INDEX jobs_steering ON jobs (id) WHERE steering = 1;
CREATE INDEX jobs_paused ON jobs (id) WHERE status = 'paused';

-- Tries that a remote file spoilt: they say nothing of the render.
ALTER TABLE renders ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;

-- What is tried again later rests apart, so that turns do not look through it.
CREATE INDEX renders_resting ON renders (due_at) WHERE state = 'resting';

-- A render is held while only paused jobs want it.
CREATE INDEX renders_held ON renders (owner) WHERE state = 'held';

-- +goose Down

UPDATE renders SET state = 'waiting' WHERE state IN ('held', 'resting');
DROP INDEX renders_resting;
ALTER TABLE renders DROP COLUMN tries;
DROP INDEX renders_held;
DROP INDEX jobs_paused;
DROP INDEX jobs_steering;
ALTER TABLE jobs DROP COLUMN idle;
ALTER TABLE jobs DROP COLUMN paused_at;
ALTER TABLE jobs DROP COLUMN before_run;
ALTER TABLE jobs DROP COLUMN retry_after;
ALTER TABLE jobs DROP COLUMN retrying;
ALTER TABLE jobs DROP COLUMN run;
ALTER TABLE jobs DROP COLUMN steering;
ALTER TABLE jobs DROP COLUMN stopped;
