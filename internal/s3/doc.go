// Package s3 is what every user of a bucket has in common: how the store is
// reached, with whose keys, and what its answers mean to a person.
package s3
