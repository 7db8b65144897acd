// Package connectors holds the contract between pictifyd and the places that
// rows come from.
//
// A connector talks to one foreign source and says what it saw: rows with a
// key, values and a position, and whether the reading was complete. It refuses
// to know whether a row matters, what a template needs, or how an image is
// made. It never infers that a row is gone, and never turns "could not read"
// into "there are no rows": that is an error, and nothing is closed.
//
// A reading is a sequence of batches that one closing ends:
//
//	Poll ──▶ batch ──▶ batch ──▶ batch + Closing{Complete, Cursor} ──▶ nil
//	     └─▶ batch ──▶ error                  (the reading died; the cursor stays)
//	     └─▶ Closing{Complete, Unchanged}     (the last reading still holds)
//
// Each kind of source is a folder beside this file and exports one Kind; the
// folder poll holds what pollers share, connectortest the suite that every
// poller passes.
package connectors
