package api

import "encoding/json"

var streamOperations = operations{
	"POST /sources/{name}/resnapshot": {
		id: "resnapshotSource", tag: tagConnections, summary: "Have a stream read all its rows again",
		detail:  "For a source that tells of its changes: it reads all rows as they stand, beside what changes. What is as before is not drawn again; rows that are gone are found. It ends a halt. The wish is durable. A source that is read every so often is a 422 `not_a_stream`: a refresh has it read.",
		headers: []string{"IdempotencyKey"},
		answers: answers{202: sends("", of[resnapshotView]())},
	},
	"GET /sources/{name}/quarantine": {
		id: "listKeptOut", tag: tagConnections, summary: "What is kept out of a source",
		detail:  "What could not become a row, and why, the oldest first. Where `replays` is true it can be tried again once what was wrong with it is mended.",
		query:   []queryParam{{"after", "Only what stands behind this place: the `next` of the page before.", anyText()}, limitParam},
		answers: answers{200: sends("", of[poisonPage]())},
	},
	"POST /sources/{name}/quarantine/replay": {
		id: "replayKeptOut", tag: tagConnections, summary: "Try again what is kept out of a stream",
		detail: "What stands at `positions`, or all of it. What is a row now is taken as of when it came: a newer state of its row that came meanwhile stays (`stale`), and what is still wrong stays with the reason of now. " +
			"Of a source that is read every so often the next reading does it: that is a 422 `not_a_stream`.",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[keptRequest](), map[string]any{"One record": json.RawMessage(`{"positions":["cards/0@17"]}`)}),
		answers: answers{200: sends("", of[replayView]())},
	},
	"POST /sources/{name}/quarantine/discard": {
		id: "discardKeptOut", tag: tagConnections, summary: "Forget what is kept out of a source",
		detail:  "What stands at `positions`, or all of it. Of a source that is read every so often it is there again after the next reading, unless it was mended.",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[keptRequest](), map[string]any{"One record": json.RawMessage(`{"positions":["cards/0@17"]}`)}),
		answers: answers{200: sends("", of[discardedView]())},
	},
}
