//go:build cure_routes_off

package cures

// Fails: ./store TestMemberPlansByWhatTheHolderHasJustCommitted
var _ = off(&Routes)
