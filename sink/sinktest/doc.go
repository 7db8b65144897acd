// Package sinktest is the conformance suite of sinks: what sink.Sink promises,
// asked of each kind in front of a receiver that can be made to fail.
package sinktest
