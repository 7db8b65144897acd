package cures

// Of connectors/postgres/slot.
var (
	// TransactionalHeartbeat: Keeper.beat writes a transaction, after which a server may
	// forget what was before (P6).
	TransactionalHeartbeat = true
	// SlotIdentity: Keeper.gap compares the slot and its server with what the cursor
	// remembers of them (P7).
	SlotIdentity = true
	// PublicationIdentity: check.identities refuses to publish a table whose writes
	// would fail from then on (P9).
	PublicationIdentity = true
	// PublicationFirst: Keeper.renew makes the publication before the slot, which can
	// not read what is older than its publication (P9).
	PublicationFirst = true
	// StaleWalsender: Keeper.take ends a stream of ours that a server still speaks to
	// though its process is gone (P10).
	StaleWalsender = true
)
