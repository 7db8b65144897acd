// Package poll is what the sources that are read again and again share: turning
// a document (CSV, TSV, JSON, NDJSON) into elements, handing elements on in
// batches, closing a reading, and binding a cursor to the configuration that it
// was made under.
//
// It refuses to know where a document came from, and what its rows are for. A
// document is read as a stream, in memory that does not grow with it: rows go on
// before its end was seen, and only the closing, which follows the end, makes
// anything of them. A Meter takes the digest on the way, for a source to compare
// with the one before.
//
// What is wrong with one record is a fault, and the reading goes on. What makes
// the rest of the document doubtful (a quote left open, half a JSON, bytes that
// are no text) is an error, and nothing is closed.
package poll
