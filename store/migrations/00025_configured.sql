-- How sinks are configured, so that a change ends their rest, and since when those are not that were.

-- +goose Up

ALTER TABLE sink_states ADD COLUMN config       TEXT NOT NULL DEFAULT ''; -- digest; '': nothing is known of it
ALTER TABLE sink_states ADD COLUMN absent_since BIGINT;                   -- it is configured no more: what waits for it is held

-- +goose Down

ALTER TABLE sink_states DROP COLUMN absent_since;
ALTER TABLE sink_states DROP COLUMN config;
