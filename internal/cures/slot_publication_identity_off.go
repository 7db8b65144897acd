//go:build cure_slot_publication_identity_off

package cures

// Fails: ./connectors/postgres/slot TestUsersOwnWritesGoOn
var _ = off(&PublicationIdentity)
