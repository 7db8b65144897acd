//go:build cure_watermark_reconcile_off

package cures

// Fails: ./connectors/postgres TestDeletedRowIsFoundByReconcile
var _ = off(&WatermarkReconcile)
