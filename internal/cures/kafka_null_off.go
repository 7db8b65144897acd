//go:build cure_kafka_null_off

package cures

// Fails: ./connectors/kafka TestEmptyValueIsNoTombstone
var _ = off(&KafkaNull)
