//go:build cure_members_off

package cures

// Fails: ./store TestMemberWhoComesLateCommitsNothing
var _ = off(&Members)
