//go:build cure_transaction_slices_off

package cures

// Fails: ./connectors/postgres TestLargeTransactionIsTakenInSlices
var _ = off(&TransactionSlices)
