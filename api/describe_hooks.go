package api

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/internal/openapi"
)

// sentRows is a document whose form is the sender's: rows stand in objects and lists.
func sentRows(*openapi.Schemas, bool) (*jsonschema.Schema, error) {
	return &jsonschema.Schema{Types: []string{"object", "array"}}, nil
}

var hookOperations = operations{
	"POST /hooks/{path}": {
		id: "sendRows", tag: tagConnections, summary: "Send rows to a webhook source",
		detail: "The body is what the sender sends; the source of this path says where in it the rows are, and how the sender proves who it is: " +
			"Standard Webhooks, GitHub's or Stripe's signature, another HMAC, a bearer token, or a user and a password. A key of this API is not asked for.\n\n" +
			"The answer follows the commit. A message whose id was taken in the last days is a `duplicate` and does nothing. Rows that are wrong in themselves are " +
			"`quarantined`, and the others are taken; a body that cannot be read is refused whole. 401 is a call that is not known to be from its sender; " +
			"503 has `Retry-After`, and is to be sent again with the same id.",
		body: &requestBody{
			about:   "JSON or NDJSON, as it is or as gzip.",
			kinds:   map[string]shape{"application/json": sentRows, "application/x-ndjson": each("application/json", sentRows)},
			example: map[string]any{"Records of a CRM": json.RawMessage(`{"records":[{"id":"C-17","name":"Ada"}]}`)},
		},
		public:  true,
		answers: answers{200: sends("It is durable.", of[hookView]())},
	},
}
