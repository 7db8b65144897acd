//go:build cure_watermark_last_off

package cures

// Fails: ./connectors/postgres TestCursorIsTheLastRowAndNotTheClock
var _ = off(&WatermarkLast)
