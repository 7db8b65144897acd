// Package kafka is the source that reads a Kafka topic: one process reads all its
// partitions, from where the store says, and commits how far it came with the rows.
//
// Offsets are the ledger's. What a consumer group at the brokers says is never read;
// it is told afterwards, for tools that show how far readers are. Where to start is
// made numbers once, and they are committed before the first record is taken, so that
// "latest" is one place and stays it.
//
//	look ──▶ plan ──▶ read: a loop for each broker ──▶ stream.Collector ──▶ the ledger
//	 ▲                      │
//	 └── lost, cut, made anew, or the topic has other partitions
//
// A plan compares the offsets that are committed with what the brokers have. Where
// something between is lost there is a gap. A topic that is compacted, and nothing
// else, holds every row: it is read anew as a snapshot, so that what is gone is found.
// Of any other topic what is older is not there any more: reading goes on where it
// begins, and nothing counts as gone.
//
// kafka-go's Reader can't do this: it hangs where batches were compacted, takes the
// marks of transactions for records and null for what is empty, and goes on silently
// where records were removed.
package kafka
