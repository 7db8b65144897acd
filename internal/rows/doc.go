// Package rows reads the rows of a table or of lines as they come, without
// holding the document: CSV and sheets of XLSX with their header, and one JSON
// value a line.
//
// What is wrong with one record is said with the record, and the reading goes
// on. What makes the rest doubtful (a quote left open, bytes that are no text,
// a record larger than is held to find its end) is an error. The package knows
// no JSON, and not what rows are for.
package rows
