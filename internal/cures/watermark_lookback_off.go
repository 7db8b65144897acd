//go:build cure_watermark_lookback_off

package cures

// Fails: ./connectors/postgres TestRowThatIsCommittedLateIsFoundByLookback
var _ = off(&WatermarkLookback)
