// Package sheets reads rows from Google Sheets, again and again.
//
// A row is what its key column says, never the row it stands in; a column is its
// name in the header. So rows may be sorted and columns moved, and nothing
// changes. A cell with an error makes its row a fault: the row stays as it was
// until the formula works again.
//
// All sources that read with the same credential share one budget of requests,
// and those that read the same spreadsheet at the same time share a request. A
// large sheet is read in blocks, and its keys once more at the end: only if they
// still stand where they were read is the reading complete.
//
// Drive's modifiedTime may save readings, but is no proof that nothing changed:
// it does not move when a formula calculates anew.
package sheets
