//go:build cure_unavailable_values_off

package cures

// Fails: ./connectors/kafka/value TestPlaceholderIsNeverAValue
var _ = off(&UnavailableValues)
