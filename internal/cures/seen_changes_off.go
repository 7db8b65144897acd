//go:build cure_seen_changes_off

package cures

// Fails: ./connectors/postgres TestRowOfAChunkGivesWayToAChangeThatNobodySees
var _ = off(&SeenChanges)
