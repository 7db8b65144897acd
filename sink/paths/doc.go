// Package paths makes the path of a picture, of a file or of an object, from an
// expression over its row.
//
// What comes from a row is always one part of one name: separators, control
// characters and what is not in NFC are percent-encoded, and percent is too. So two
// values never become the same path, and none climbs out of the place that the
// configuration names.
package paths
