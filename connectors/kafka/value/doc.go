// Package value makes rows of the records of a Kafka topic: of what JSON, CSV and
// Avro with a schema registry say, and of the change events of Debezium.
//
// A record that is at fault in itself is a Fault, and the others go on. Where it is
// not the record, but the registry that can't be asked, there is an error, and the
// same record is decoded again later: nothing is set aside because of an outage.
//
// It knows no brokers and no offsets but those that a record has: in which order
// records come, and what is committed of them, is the matter of its parent.
package value
