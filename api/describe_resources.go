package api

import "encoding/json"

var resourceOperations = operations{
	"POST /bindings": {
		id: "createBinding", tag: tagBindings, summary: "Make a binding",
		detail:  "The body is as under `bindings:` of the configuration, in camelCase. The seed product's form, with `dataSource`, is read as well and makes the source, too.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[map[string]any](), map[string]any{"Cards of products": json.RawMessage(`{"name":"product-cards","source":"shop","template":"product-card","outputs":[{"format":"jpeg"}],"sinks":["hook"]}`)}),
		answers: answers{201: oneBinding.with("Location", "The path of the binding.")},
	},
	"PUT /bindings/{name}": {
		id: "replaceBinding", tag: tagBindings, summary: "Change a binding", headers: []string{"IfMatch"},
		body: takes(of[map[string]any](), nil), answers: answers{200: oneBinding},
	},
	"DELETE /bindings/{name}": {
		id: "deleteBinding", tag: tagBindings, summary: "Delete a binding",
		query:   []queryParam{{"images", "What becomes of its images.", oneOf("keep", "remove")}},
		answers: answers{204: {about: "It is gone."}},
	},
	"POST /bindings/{name}/pause": {
		id: "pauseBinding", tag: tagBindings, summary: "Leave its images as they are", headers: []string{"IdempotencyKey"},
		answers: answers{200: oneBinding},
	},
	"POST /bindings/{name}/resume": {
		id: "resumeBinding", tag: tagBindings, summary: "Go on", headers: []string{"IdempotencyKey"},
		answers: answers{200: oneBinding},
	},
	"POST /bindings/{name}/preview": {
		id: "previewBinding", tag: tagBindings, summary: "What it makes of a row",
		detail:  "Of a stored row, the first one, or one that is given. Nothing is rendered.",
		headers: []string{"IdempotencyKey"}, body: mayTake(of[previewRequest](), map[string]any{"A row": json.RawMessage(`{"row":{"sku":"SKU-1","name":"Enamel Mug"}}`)}),
		answers: answers{200: sends("", only[previewView]("preview"))},
	},
	"GET /bindings/{name}/rows/{key}": {
		id: "getRow", tag: tagBindings, summary: "All about one row",
		detail:  "As it is stored, as it is drawn, and who was told.",
		answers: answers{200: sends("", only[historyView]("row"))},
	},
	"GET /sources": {
		id: "listSources", tag: tagConnections, summary: "Where rows come from",
		answers: answers{200: sends("", only[[]connectionView]("sources"))},
	},
	"POST /sources": {
		id: "createSource", tag: tagConnections, summary: "Make a source", detail: connectionBody, headers: []string{"IdempotencyKey"},
		body:    takes(of[map[string]any](), map[string]any{"An API": json.RawMessage(`{"name":"shop","kind":"http","url":"https://shop.example/products","rows":"$.items","key":"sku","every":"30s"}`)}),
		answers: answers{201: oneSource.with("Location", "The path of the source.")},
	},
	"GET /sources/{name}": {
		id: "getSource", tag: tagConnections, summary: "A source", answers: answers{200: oneSource},
	},
	"PUT /sources/{name}": {
		id: "replaceSource", tag: tagConnections, summary: "Change a source", detail: connectionBody, headers: []string{"IfMatch"},
		body: takes(of[map[string]any](), nil), answers: answers{200: oneSource},
	},
	"DELETE /sources/{name}": {
		id: "deleteSource", tag: tagConnections, summary: "Delete a source", detail: inUseNote, answers: answers{204: {about: "It is gone."}},
	},
	"GET /sinks": {
		id: "listSinks", tag: tagConnections, summary: "Who is told of images",
		answers: answers{200: sends("", only[[]connectionView]("sinks"))},
	},
	"POST /sinks": {
		id: "createSink", tag: tagConnections, summary: "Make a sink", detail: connectionBody, headers: []string{"IdempotencyKey"},
		body:    takes(of[map[string]any](), map[string]any{"A webhook": json.RawMessage(`{"name":"hook","kind":"webhook","url":"https://shop.example/hooks/images","secret":"whsec_c2VjcmV0LW9mLXRoZS1zaG9wLTE="}`)}),
		answers: answers{201: oneSink.with("Location", "The path of the sink.")},
	},
	"GET /sinks/{name}": {
		id: "getSink", tag: tagConnections, summary: "A sink", answers: answers{200: oneSink},
	},
	"PUT /sinks/{name}": {
		id: "replaceSink", tag: tagConnections, summary: "Change a sink", detail: connectionBody, headers: []string{"IfMatch"},
		body: takes(of[map[string]any](), nil), answers: answers{200: oneSink},
	},
	"DELETE /sinks/{name}": {
		id: "deleteSink", tag: tagConnections, summary: "Delete a sink", detail: inUseNote, answers: answers{204: {about: "It is gone."}},
	},
	"GET /kinds": {
		id: "listKinds", tag: tagConnections, summary: "What sources and sinks there can be",
		detail:  "Each with the JSON Schema of its configuration as a POST takes it, from which a form can be made: properties stand in their order, secrets are `writeOnly`. Only those with `callers` may be made over the API.",
		answers: answers{200: sends("", of[Kinds]())},
	},
	"POST /sources/test": {
		id: "trySource", tag: tagConnections, summary: "Try a source that is not kept",
		detail:  "Its configuration, its addresses, whether it answers, its first rows and whether they have the columns of the key. " + trialNote + " With the `name` of a source that there is, `***` stands for its secrets, where the addresses are the same.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[map[string]any](), map[string]any{"An API": json.RawMessage(`{"kind":"http","url":"https://shop.example/products","rows":"$.items","key":"sku"}`)}),
		answers: answers{200: sends("", of[trialView]())},
	},
	"POST /sources/{name}/test": {
		id: "testSource", tag: tagConnections, summary: "Try a source that there is",
		detail:  "With a connection of its own, beside the source's readings. " + trialNote,
		headers: []string{"IdempotencyKey"},
		answers: answers{200: sends("", of[trialView]())},
	},
	"POST /sinks/test": {
		id: "trySink", tag: tagConnections, summary: "Try a sink that is not kept",
		detail:  "It is sent one test event of a row that there is not, or only asked whether it is there. " + trialNote,
		headers: []string{"IdempotencyKey"},
		body:    takes(of[map[string]any](), map[string]any{"A webhook": json.RawMessage(`{"kind":"webhook","url":"https://shop.example/hooks/images","secret":"whsec_c2VjcmV0LW9mLXRoZS1zaG9wLTE="}`)}),
		answers: answers{200: sends("", of[trialView]())},
	},
	"POST /sinks/{name}/test": {
		id: "testSink", tag: tagConnections, summary: "Send a sink one test event",
		detail: "Without a body it is of a row that there is not; with `binding` and `key` of that row, as it was drawn last. That it did not arrive is an answer like another: `ok` says. " +
			"Nothing of it is kept, and it is not tried again. A sink that would keep a made-up row is only asked whether it is there (`probed`).",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[SinkTestOf](), map[string]any{"A row": json.RawMessage(`{"binding":"cards","key":"SKU-1"}`)}),
		answers: answers{200: sends("", of[sinkTestView]())},
	},
}

const (
	connectionBody = "The body is as in the configuration, in camelCase, with its `name`. Secrets are never shown again: where a PUT sends `***` they stay as they are."
	trialNote      = "What is wrong is an answer like another: `ok` says, and `steps` says where. Nothing is kept."
	inUseNote      = "One that bindings use is a 409 `in_use`."
)

var (
	oneBinding = sends("", only[bindingView]("binding")).tagged("The binding's revision, where it was made over the API.")
	oneSource  = sends("", only[connectionView]("source")).tagged("The source's revision, where it was made over the API.")
	oneSink    = sends("", only[connectionView]("sink")).tagged("The sink's revision, where it was made over the API.")
)

// A previewRequest says which row a preview is of.
type previewRequest struct {
	Key string         `json:"key,omitempty"` // of a stored row; without it the first
	Row map[string]any `json:"row,omitempty"` // in place of a stored one
}
