//go:build cure_watermark_ahead_off

package cures

// Fails: ./connectors/postgres TestRowDatedAheadDoesNotHideOthers
var _ = off(&WatermarkAhead)
