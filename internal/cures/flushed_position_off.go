//go:build cure_flushed_position_off

package cures

// Fails: ./connectors/postgres/replication TestOnlyConfirmIsConfirmed
var _ = off(&FlushedPosition)
