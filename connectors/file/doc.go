// Package file reads rows from files on this machine: one, or those of a folder or
// pattern as one source.
//
// Files are read once they are quiet, and twice: to compare them with those of the
// cursor, and to decode them. A reading is closed only if the second pass met the
// bytes of the first and everything is as it was before, so that a half-written file
// is not taken for the new state. A file that is empty, a folder that can't be listed
// or in which nothing matches is an error, never "no rows".
//
// Hints of the system only make a poll come sooner. A reading is skipped while names,
// sizes, times and inodes, or else the content, are those of the cursor.
package file
