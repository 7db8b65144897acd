//go:build cure_schemas_that_come_late_off

package cures

// Fails: ./connectors/kafka/value TestSchemaThatComesLateIsWaitedFor
var _ = off(&SchemasThatComeLate)
