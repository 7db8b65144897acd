-- +goose Up

-- What the server of a file calls its bytes, and when it was last asked.
ALTER TABLE asset_pins ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE asset_pins ADD COLUMN last_modified TEXT NOT NULL DEFAULT '';
ALTER TABLE asset_pins ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;
UPDATE asset_pins SET checked_at = fetched_at;

-- Which remote files a picture shows, each as it was then.
CREATE TABLE render_pins (
    fingerprint TEXT NOT NULL,
    pin         TEXT NOT NULL, -- asset_pins.id
    digest      TEXT NOT NULL,
    PRIMARY KEY (fingerprint, pin)
);

-- +goose Down

DROP TABLE render_pins;
ALTER TABLE asset_pins DROP COLUMN checked_at;
ALTER TABLE asset_pins DROP COLUMN last_modified;
ALTER TABLE asset_pins DROP COLUMN etag;
