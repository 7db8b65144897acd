-- How long sinks rest, deliveries in the order of their being due, and the counts of those that there are.

-- +goose Up

ALTER TABLE sink_states ADD COLUMN rests BIGINT NOT NULL DEFAULT 0; -- one after the other

DROP INDEX deliveries_waiting;
CREATE INDEX deliveries_waiting ON deliveries (sink, due_at, generation) WHERE state = 'waiting';
CREATE INDEX deliveries_underway ON deliveries (sink) WHERE state = 'claimed';

INSERT INTO delivery_counts (sink, planned, delivered, superseded)
SELECT sink, count(*), sum(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END), sum(CASE WHEN state = 'superseded' THEN 1 ELSE 0 END)
FROM (SELECT CASE WHEN sink LIKE 'job:%' THEN 'batch' WHEN sink LIKE 'rows:%' THEN 'batch_rows' ELSE sink END AS sink, state FROM deliveries) AS d
GROUP BY sink;

-- +goose Down

DELETE FROM delivery_counts;
DROP INDEX deliveries_underway;
DROP INDEX deliveries_waiting;
CREATE INDEX deliveries_waiting ON deliveries (sink, due_at) WHERE state = 'waiting';
ALTER TABLE sink_states DROP COLUMN rests;
