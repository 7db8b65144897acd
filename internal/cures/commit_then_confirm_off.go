//go:build cure_commit_then_confirm_off

package cures

// Fails: ./connectors/postgres TestNothingIsConfirmedBeforeItIsCommitted
var _ = off(&CommitThenConfirm)
