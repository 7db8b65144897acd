// Package kafka is a guest's connection to somebody else's Kafka, the same for
// source and sink: whom it connects to, how it says who it is, how long it waits,
// and the requests of a reader.
//
// kafka-go holds the connections, authenticates and knows the brokers. The requests
// of a reader are written and read here, because what kafka-go keeps to itself is what
// a reader can't do without: which transactions were aborted, where a batch ends whose
// last records were compacted away, which batch is damaged, where a log was cut, and
// the ids of topics.
package kafka
