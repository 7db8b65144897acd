// Package zipview is a zip archive of files that lie elsewhere: what is kept of
// it is an index, which has the bytes between the files (headers, the directory)
// and says where each file is. A Reader puts both together at any place, so that
// a download can be resumed and costs no copy. Files are stored, not compressed.
//
//	Writer ──▶ index ──▶ Reader ◀── files, by id
package zipview
