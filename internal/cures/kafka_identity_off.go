//go:build cure_kafka_identity_off

package cures

// Fails: ./connectors/kafka TestTopicThatIsMadeAnewIsAGap
var _ = off(&KafkaIdentity)
