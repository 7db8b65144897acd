//go:build cure_kafka_tail_off

package cures

// Fails: ./connectors/kafka TestCompactedTopicIsReadThroughItsHoles
var _ = off(&KafkaTail)
