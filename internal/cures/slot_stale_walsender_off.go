//go:build cure_slot_stale_walsender_off

package cures

// Fails: ./connectors/postgres/slot TestStreamOfOurOwnThatHangsIsEnded
var _ = off(&StaleWalsender)
