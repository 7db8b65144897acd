// Package cures names what protects a stream against a fault that other systems
// died of, one switch for each. All are on. A build tag per cure switches it off,
// cure_NAME_off, so that `make mutate` can show that a test fails without it.
package cures

// off is for the initial value of a variable in a file behind a cure's tag.
func off(cure *bool) bool {
	*cure = false
	return false
}

var _ = off
