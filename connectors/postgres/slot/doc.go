// Package slot looks after what a source of changes keeps at somebody else's
// PostgreSQL: a publication of one table and a logical replication slot.
//
// Both are made with the least that is needed, found again by their name, which
// holds the ledger that they are for, compared at each start with what the ledger
// remembers of them, watched while they are used, and given back. What a person
// named in the configuration is that person's: it is only looked at.
//
// A slot says nothing of what it no longer knows. So whatever can have made it
// forget is found here and told as a gap: a slot that is missing, was made anew,
// was read by somebody else, lost its WAL, or stands at another server.
package slot
