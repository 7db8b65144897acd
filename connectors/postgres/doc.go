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
package postgres
