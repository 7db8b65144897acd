//go:build cure_kafka_tombstones_off

package cures

// Fails: ./connectors/kafka TestReaderThatWasAwayForLongReadsAllAnew
var _ = off(&KafkaTombstones)
