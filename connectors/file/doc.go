// Package file reads rows from a file on this machine: CSV, TSV, JSON, NDJSON.
//
// A file is read whole once it is quiet, so that a half-written one is not
// taken for the new state; a file that is missing or empty is an error, never
// "no rows". A reading is skipped while size, time and inode, or else the
// content, are those of the cursor.
package file
