package api

import "encoding/json"

var deletionOperations = operations{
	"DELETE /jobs/{id}": {
		id: "deleteJob", tag: tagDeletions, summary: "Delete a job with all that only it has",
		detail:  "A job that has not ended is refused: cancel it first. Pictures that others show as well stay.",
		answers: answers{200: sends("", of[Deletion]())},
	},
	"DELETE /jobs/{id}/rows/{key}": {
		id: "deleteJobRow", tag: tagDeletions, summary: "Delete the rows of a job that have a key",
		detail:  "The others keep their indexes.",
		answers: answers{200: sends("", of[Deletion]())},
	},
	"DELETE /bindings/{name}/rows/{key}": {
		id: "deleteRow", tag: tagDeletions, summary: "Delete a row of a binding's source",
		detail:  "With the images that all bindings of that source have of it. A source that still has the row brings it back, unless it is forgotten.",
		query:   []queryParam{{"forget", "`permanent`: the source does not bring the row back.", oneOf("permanent")}},
		answers: answers{200: sends("", of[Deletion]())},
	},
	"POST /bindings/{name}/rows/{key}/recall": {
		id: "recallRow", tag: tagDeletions, summary: "End the forgetting of a row",
		detail:  "It comes back with the next reading that has it, which is asked for.",
		headers: []string{"IdempotencyKey"},
		answers: answers{200: sends("", of[nextView]())},
	},
	"POST /deletions": {
		id: "deleteKey", tag: tagDeletions, summary: "Delete a key from all sources and jobs",
		detail:  "Jobs that have not ended keep it, and are named. The key of the API wants `renders:write` too, and no list of templates.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[keyDeletion](), map[string]any{"Of one column": json.RawMessage(`{"key":"ada@example.com"}`), "Of two, for ever": json.RawMessage(`{"key":["shop-7","SKU-1"],"forget":true}`)}),
		answers: answers{200: sends("", of[Deletion]())},
	},
	"POST /sweep": {
		id: "sweep", tag: tagDeletions, summary: "Look through all files now for those that nothing shows",
		headers: []string{"IdempotencyKey"},
		answers: answers{202: sends("", of[nextView]())},
	},
}
