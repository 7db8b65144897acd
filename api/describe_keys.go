package api

import "encoding/json"

var keyOperations = operations{
	"GET /keys": {
		id: "listKeys", tag: tagKeys, summary: "All keys, none of them itself",
		answers: answers{200: sends("", only[[]keyView]("keys"))},
	},
	"POST /keys": {
		id: "createKey", tag: tagKeys, summary: "Make a key",
		detail:  "It is shown this once.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[keyOrder](), map[string]any{"For a build server": json.RawMessage(`{"name":"ci","scopes":["renders:write"],"rate":600,"quota":"100000/month"}`)}),
		answers: answers{201: sends("", of[newKeyView]()).with("Location", "The path of the key.")},
	},
	"DELETE /keys/{id}": {
		id: "revokeKey", tag: tagKeys, summary: "Revoke a key",
		detail:  "What was opened by it is closed. Keys of the configuration are taken out there.",
		answers: answers{204: {about: "It is gone."}},
	},
}

// A newKeyView is a key that was just made.
type newKeyView struct {
	Key string `json:"key"` // to be kept by the caller: nobody can be told it again
	keyView
}
