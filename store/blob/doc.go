// Package blob keeps bytes by their SHA-256 in a folder. What Put has returned
// survives a power cut: it was written under a temporary name, synced, renamed,
// and its folder synced. A name holds either all of its bytes or does not exist.
//
// The package knows neither images nor who refers to them. It deletes its own
// leftovers, and what Remove names: unless somebody put it since, for whoever
// puts bytes that are there already relies on them as if they were new.
package blob
