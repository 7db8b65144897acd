-- Webhooks that callers of the API subscribe to events, and what bindings as a whole have to tell.

-- +goose Up

CREATE TABLE webhook_subscriptions (
    id             TEXT   PRIMARY KEY, -- its sink is 'sub:' and that
    events         TEXT   NOT NULL, -- JSON
    url            TEXT   NOT NULL,
    platform       TEXT   NOT NULL,
    filter         TEXT   NOT NULL, -- JSON
    templates      TEXT   NOT NULL, -- JSON: those of its key
    owner          TEXT   NOT NULL, -- the id of its key
    author         TEXT   NOT NULL, -- and its name
    secret         TEXT   NOT NULL, -- sealed
    previous       TEXT   NOT NULL DEFAULT '', -- sealed
    previous_until BIGINT,
    digest         TEXT   NOT NULL UNIQUE, -- two that are the same are one
    revision       BIGINT NOT NULL,
    gone           BIGINT NOT NULL DEFAULT 0, -- deleted, and what waits for it is being dropped
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);
CREATE INDEX webhook_subscriptions_owner ON webhook_subscriptions (owner);

-- The newest tries of subscriptions.
CREATE INDEX deliveries_arrived ON deliveries (sink, tried_at) WHERE substr(sink, 1, 4) = 'sub:' AND tried_at IS NOT NULL;
CREATE INDEX deliveries_failing ON deliveries (sink) WHERE substr(sink, 1, 4) = 'sub:' AND state IN ('waiting', 'claimed', 'dead') AND attempts > 0;

-- Rows of bindings whose images changed since binding.updated was last told.
CREATE TABLE binding_news (
    binding TEXT   NOT NULL,
    key     TEXT   NOT NULL,
    what    TEXT   NOT NULL, -- added, changed, removed, failed
    at      BIGINT NOT NULL, -- when it came first
    PRIMARY KEY (binding, key)
);

-- Whether anything of a binding is still to be drawn.
CREATE INDEX items_unrested ON items (owner) WHERE state = 'waiting' AND idx = 0;

-- How many events there were of the binding as a whole, and why it works no longer: source, unable, rows.
ALTER TABLE bindings ADD COLUMN events BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bindings ADD COLUMN fault  TEXT   NOT NULL DEFAULT '';

-- +goose Down

ALTER TABLE bindings DROP COLUMN fault;
ALTER TABLE bindings DROP COLUMN events;
DROP INDEX items_unrested;
DROP TABLE binding_news;
DROP INDEX deliveries_failing;
DROP INDEX deliveries_arrived;
DROP TABLE webhook_subscriptions;
