package api

import "encoding/json"

var deletionOperations = operations{
	"DELETE /jobs/{id}": {
		id: "deleteJob", tag: tagDeletions, summary: "Delete a job with all that only it has",
		detail: "One that has not ended is a 409.", answers: answers{200: deleted},
	},
	"DELETE /jobs/{id}/rows/{key}": {
		id: "deleteJobRow", tag: tagDeletions, summary: "Delete a row of a job", detail: "A job that has not ended is a 409.", answers: answers{200: deleted},
	},
	"DELETE /bindings/{name}/rows/{key}": {
		id: "deleteRow", tag: tagDeletions, summary: "Delete a row of a source, with the images of all its bindings",
		detail:  "A source that still has the row brings it back, unless it is forgotten.",
		query:   []queryParam{{"forget", "The row stays away although the source may still have it.", oneOf("permanent")}},
		answers: answers{200: deleted},
	},
	"POST /bindings/{name}/rows/{key}/recall": {
		id: "recallRow", tag: tagDeletions, summary: "End the forgetting of a row", headers: []string{"IdempotencyKey"},
		answers: answers{200: sends("", object(property{"status", "`recalled`", anyText()}, property{"next", "What happens then.", anyText()}))},
	},
	"POST /deletions": {
		id: "deleteKey", tag: tagDeletions, summary: "Delete a key from all sources and all jobs",
		detail:  "As a person may ask for it. The answer counts what went, and says what is left to do elsewhere.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[deletionRequest](), map[string]any{"A person": json.RawMessage(`{"key":"ada@example.com","forget":true}`)}),
		answers: answers{200: deleted},
	},
	"POST /sweep": {
		id: "sweep", tag: tagDeletions, summary: "Look now for bytes that nothing shows", headers: []string{"IdempotencyKey"},
		answers: answers{202: sends("", object(property{"status", "`sweeping`", anyText()}, property{"next", "Where to look.", anyText()}))},
	},
}

var deleted = sends("What went.", of[Deletion]())

// A deletionRequest is a key that is deleted wherever it is.
type deletionRequest struct {
	Key    keyColumns `json:"key"` // a text, or the list of its columns
	Forget bool       `json:"forget,omitempty"`
}

// keyColumns are a row's key.
type keyColumns []string
