//go:build cure_watermark_ties_off

package cures

// Fails: ./connectors/postgres TestMoreRowsOfOneWatermarkThanAPageHas
var _ = off(&WatermarkTies)
