// Package daemon carries values between the rooms, and decides the order in
// which they start and stop. It knows no SQL, no pixels, no paths of HTTP and no
// names of columns.
//
// A row's way through it: watch has a source looked at, a visit polls it, a
// reading carries its batches from the connector through bindings into the store;
// rows that are sent or asked for come by take and by hooks. draw turns claimed
// renders into pictures, deliver hands finished ones to sinks. Those two, and the
// readings that somebody asks for, are the work of turns that the store's queue
// gives; what is not ended there comes back. A look that a source takes of itself
// is no turn: the next start looks again.
package daemon
