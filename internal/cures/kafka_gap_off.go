//go:build cure_kafka_gap_off

package cures

// Fails: ./connectors/kafka TestRetentionThatPassedIsAGap
var _ = off(&KafkaGap)
