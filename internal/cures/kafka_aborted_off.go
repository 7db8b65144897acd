//go:build cure_kafka_aborted_off

package cures

// Fails: ./connectors/kafka TestAbortedTransactionsAreNotRead
var _ = off(&KafkaAborted)
