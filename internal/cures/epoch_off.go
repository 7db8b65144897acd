//go:build cure_epoch_off

package cures

// Fails: ./store TestHolderWhoComesLateCommitsNothing
var _ = off(&Epoch)
