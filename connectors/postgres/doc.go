// Package postgres is the source that reads a table, or the rows of a query, of a
// PostgreSQL server again and again, and compares all of it.
//
// A reading is one read-only snapshot: it writes nothing, locks nothing but what
// any SELECT does, and a row is in it once and as it was at one moment. Where the
// cursor tells of a reading before, the snapshot is first gone through for its
// digest; what is as it was is told with one word. Memory is bounded by a page.
//
// Values keep their digits: what could become a float is a number as the server
// writes it.
//
// In mode cdc the server tells of each change (package replication), from a slot that
// package slot looks after. All rows are read beside it, in chunks in the order of a
// key, each of which the stream tells the place of by a message; a row of a chunk
// gives way to a change that its snapshot did not see. Large values that a change
// does not tell are read again. What was committed is confirmed to the server, never
// what was received. What a stream can't tell, an ALTER TABLE that writes rows anew
// or a partition that comes or goes, is seen in the catalog, and all rows are read
// again, as after a gap: what is as it was makes nothing.
package postgres
