// Package httppoll reads rows from an HTTP address: JSON, NDJSON, CSV, TSV or
// XLSX, in one answer or in pages, again and again, for a time, for each row of
// another source, or one row by its key. What its expressions read decides which:
//
//	no expression    polled: a list, complete when all of it came
//	{{ run.… }}      connectors.Timed: never complete
//	{{ row.… }}      one request for each stored row of for_each
//	{{ key }}        connectors.Finder: asked for single rows, never polled
//
// It asks conditionally (ETag, Last-Modified) and compares bodies with those of
// the last reading, so that an unchanged source costs one request. Only whole
// answers count: a status other than success, a page of HTML, an empty or a cut
// body are errors and close nothing; they never look like a source without rows.
// A list whose pages moved while they were read is closed as not complete. The
// operator's file names the address, so requests are not subject to the rules
// for addresses that rows and callers name; a caller's source reaches nothing but
// what Env.Client reaches.
package httppoll
