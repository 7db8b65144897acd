//go:build cure_kafka_stalled_off

package cures

// Fails: ./connectors/kafka TestPartitionThatDoesNotGoOnIsToldOf
var _ = off(&KafkaStalled)
