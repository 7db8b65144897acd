//go:build cure_unchanged_values_off

package cures

// Fails: ./connectors/postgres TestUnchangedLargeValueStays
var _ = off(&UnchangedValues)
