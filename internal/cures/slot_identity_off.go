//go:build cure_slot_identity_off

package cures

// Fails: ./connectors/postgres/slot TestWhatASlotLostIsAGap
var _ = off(&SlotIdentity)
