//go:build cure_kafka_start_off

package cures

// Fails: ./connectors/kafka TestStartAtLatestLosesNothingAcrossADeath
var _ = off(&KafkaStart)
