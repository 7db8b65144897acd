// Package postgres is the sink that writes what became of a row into columns of a
// table: its picture's address, hash, size, time.
//
// A row of the table is written only if something in it would become another, so
// that a delivery that comes twice is written once, and no trigger of the table's
// owner hears of nothing. Many rows go in one transaction and one round trip; where
// one of them is refused, the others are found by halves and written without it.
// Nothing is locked but the rows, nobody's lock is waited for long, and no row is
// ever written that the key does not name alone.
package postgres
