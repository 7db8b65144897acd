//go:build cure_kafka_holes_off

package cures

// Fails: ./connectors/kafka TestWhatALeaderHasNothingOfIsSteppedOver
var _ = off(&KafkaHoles)
