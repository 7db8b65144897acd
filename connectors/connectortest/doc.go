// Package connectortest is the suite that every kind of polled source passes:
// the promises of connectors.Poller and connectors.Waker as tests.
package connectortest
