//go:build cure_slot_publication_first_off

package cures

// Fails: ./connectors/postgres/slot TestSlotReadsFromItsBeginning
var _ = off(&PublicationFirst)
