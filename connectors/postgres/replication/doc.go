// Package replication is the client's side of PostgreSQL's logical replication with
// the plugin pgoutput: what a slot has to tell, one change after the other.
//
// It knows the protocol and nothing of what the changes are for. What a transaction
// did comes after its commit (streaming is off), and each change says at which place
// of the log it stands. The server forgets only what Confirm was told.
package replication
