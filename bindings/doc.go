// Package bindings decides whether a row affects an image, and which.
//
// It is pure planning: it reads no source, no clock and no ledger. Whoever
// reads a source hands each batch to a [Reading], with what the ledger knows of
// the keys in it, and gets a [Plan], which the ledger commits whole.
//
//	row ── key ──▶ known and the same? ──▶ nothing
//	                │ new or changed
//	                ▼
//	lookups, where, map, variables ──▶ values of the page's slots ──▶ fingerprint ──▶ Proposal
//
// Rows of other sources that a binding joins are asked for by their keys before
// they are planned ([Sifted.Needs], [Binding.Needs]), and are told in the plan.
//
// Four rules hold, and are stated as tests:
//
//   - The same row by any road (CSV or JSON, in any order of keys, in any cut of
//     batches) has the same key, and the same picture where the template reads
//     the same value out of it.
//   - A column that no expression and no variable reads changes no fingerprint,
//     and so renders nothing. The fingerprint is taken over what the page is
//     given and over nothing else.
//   - A reading that is not complete deletes nothing. Two rows with one key make
//     it incomplete, and neither of them wins: the picture before stays.
//   - An older version of a row never replaces a newer one.
//
// A changed row of a polled source is held back until its reading closes,
// because a later row with the same key must be able to take it back. Only the
// first reading of a binding, and a reading with very many changes, is planned
// as it comes; there a late duplicate is undone by a second proposal.
//
// The package does not know where rows come from, how pictures are made, nor
// how its plans are stored.
package bindings
