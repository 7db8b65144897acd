// Package kafka is the sink that writes a record to a topic for each delivery, keyed
// so that a compacted topic holds the newest picture of each row, and null on removal.
//
// Records are written as an idempotent producer's, with acks of all replicas in sync.
// One request at a time is under way to a partition. Where its answer does not come,
// nobody knows whether it is still to take effect; all that follows to that partition
// then has a higher epoch of the producer, so that the broker refuses the old request
// should it arrive later. So a record never stands behind a newer one of its row, as
// long as one process writes. A try that is repeated may stand twice, with the same id.
//
// kafka-go's Writer can do none of this: it goes on writing after its caller has given
// up, and has no producer id. Its Client sends the requests, knows which broker leads a
// partition, encodes and compresses.
package kafka
