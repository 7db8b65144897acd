package cures

// Cures of connectors/kafka.
var (
	// KafkaTail switches scan: it steps behind the last offset that a batch stands for,
	// of which compaction may have left no record (P1).
	KafkaTail = true
	// KafkaHoles switches (*reader).hole: it steps over what a leader has nothing of (P1).
	KafkaHoles = true
	// KafkaStalled switches (*reader).stalled: a partition that does not go on is told of (P1).
	KafkaStalled = true
	// KafkaControl switches scan: the marks of transactions are no records (P2).
	KafkaControl = true
	// KafkaAborted switches scan: records of transactions that were given up are not read (P2).
	KafkaAborted = true
	// KafkaNull switches recordOf: null is not what is empty (P2).
	KafkaNull = true
	// KafkaStart switches (*source).settle: where to start is committed before anything
	// is read (P20).
	KafkaStart = true
	// KafkaGap switches sight.lost: what was removed before it was read is told of (P20).
	KafkaGap = true
	// KafkaIdentity switches sight.anotherTopic: a topic that was made anew is told of (P20).
	KafkaIdentity = true
	// KafkaTombstones switches sight.lost: a reader that was away for longer than
	// tombstones stay reads all rows anew.
	KafkaTombstones = true
)
