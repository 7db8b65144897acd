// Package poll is what the sources that are read again and again share: turning
// a document (CSV, TSV, JSON, NDJSON) into elements, handing elements on in
// batches, closing a reading, and binding a cursor to the configuration that it
// was made under.
//
// It refuses to know where a document came from, and what its rows are for. A
// document is given whole, because a source has to see its end, and to compare
// it with the one before, ahead of the first row; its elements are decoded one
// at a time, so that rows never live beside it in full.
//
// What is wrong with one record is a fault, and the reading goes on. What makes
// the rest of the document doubtful (a quote left open, half a JSON, bytes that
// are no text) is an error, and nothing is closed.
package poll
