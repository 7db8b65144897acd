// Package httppoll reads rows from an HTTP address, again and again: JSON,
// NDJSON, CSV or TSV.
//
// It asks conditionally (ETag, Last-Modified) and compares the body with the
// last one, so that an unchanged source costs one request. Only a whole answer
// counts: a status other than success, a page of HTML, an empty or a cut body
// are errors and close nothing; they never look like a source without rows. The
// operator's file names the address, so requests are not subject to the rules
// for addresses that rows and callers name.
package httppoll
