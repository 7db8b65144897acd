// Package pg is what a guest in somebody else's PostgreSQL needs: a connection
// that waits for nobody's lock and is given back when it rests, names as SQL reads
// them, what the catalog says of a table, and errors that a person can act on.
//
// Everything goes over the wire as text, in unnamed statements of one transaction,
// so that a pooler between is no matter and no type has to be known before.
package pg
