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

// Epoch switches holder.expel and holder.admit of store: a holder of the ledger that
// was frozen or cut off commits nothing once another has taken over.
var Epoch = true

// FlushedPosition switches replication.Conn.tell: the server is told all three
// positions, and only what was committed (pitfalls P4 and P5).
var FlushedPosition = true

// SeenChanges switches postgres.window.add and admits: a row of a snapshot gives way
// to a change that was told of before a statement could see it (pitfall P3).
var SeenChanges = true

// UnchangedValues switches postgres.run.mend: values that an update left alone, and
// that it does not tell, are read again and never become null (pitfall P8).
var UnchangedValues = true

// CommitThenConfirm switches postgres.run.committed: the server may forget what was
// committed here, not what was told (pitfall P4).
var CommitThenConfirm = true

// TransactionSlices switches postgres.run.cut: a large transaction is committed in
// slices (pitfall P11).
var TransactionSlices = true

// Routes switches routes of store: what a member plans goes by what the holder has
// committed, not by what the member knew.
var Routes = true

// Members switches expelGuests of store: a member of the ledger that was frozen or cut
// off commits nothing once what it had claimed is put back.
var Members = true
