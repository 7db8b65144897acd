// Package cures names what protects a stream against a fault that other systems
// died of, one switch for each. All are on. A build tag per cure switches it off,
// cure_NAME_off, so that `make mutate` can show that a test fails without it.
package cures

// off is for the initial value of a variable in a file behind a cure's tag.
func off(cure *bool) bool {
	*cure = false
	return false
}

var _ = off

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
