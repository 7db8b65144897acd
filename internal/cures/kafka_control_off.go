//go:build cure_kafka_control_off

package cures

// Fails: ./connectors/kafka TestAbortedTransactionsAreNotRead
var _ = off(&KafkaControl)
