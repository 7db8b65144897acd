// Package sheets writes columns of the sheet that a source reads: where the picture
// of a row is.
//
// A row is found by its key right before the write, never by a remembered row
// number, and only cells that differ are written, those of many rows in one
// request. The API has no conditional write. So everything is read once more after
// it was written: what a row that moved meanwhile was given by mistake is put back,
// and the row that it was for is found again.
package sheets
