// Package draft is what happens to a template between two versions: its one
// draft, a chain of steps, each with the operations that made it and those that
// take it back.
//
//	version ──first step──▶ draft ──edit, undo, restore──▶ draft ──publish──▶ version
//	                          └────────────discard──────────▶ (the newest version again)
//
// A revision names a state of the draft and never returns: publishing,
// discarding, and a version that comes by another door, each make a new one. So
// whoever says which revision he saw is understood, however old it is: his
// operations are applied on the newest revision when nobody touched the same
// meanwhile, and refused with both values when somebody did.
//
// The package knows neither where drafts are kept nor what an operation is: the
// ledger and the engine are given to it.
package draft
