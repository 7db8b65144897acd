//go:build cure_null_is_not_empty_off

package cures

// Fails: ./connectors/kafka/value TestEmptyValueIsNoTombstone
var _ = off(&NullIsNotEmpty)
