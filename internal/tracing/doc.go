// Package tracing sends OpenTelemetry traces to a collector, by OTLP over HTTP.
//
// The way of a row is one trace: its id follows from whose the row is, its key and the generation of
// its images. So processes that know nothing of each other add to the same one, also after a crash, and
// nothing about traces is kept in the ledger or carried through the queue. A nil *Tracer is off, and costs nothing.
package tracing
