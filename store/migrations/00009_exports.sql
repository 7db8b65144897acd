-- +goose Up

-- Which events the webhook of a job is sent; '' is its end alone.
ALTER TABLE jobs ADD COLUMN webhook_events TEXT NOT NULL DEFAULT ''; -- JSON

-- Which row of a job a delivery is about.
ALTER TABLE deliveries ADD COLUMN idx BIGINT NOT NULL DEFAULT 0;

-- +goose Down

ALTER TABLE deliveries DROP COLUMN idx;
ALTER TABLE jobs DROP COLUMN webhook_events;
