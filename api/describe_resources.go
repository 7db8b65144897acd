package api

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/bindings"
)

// settingsOf is the shape of a source, a sink or a binding as it is sent: the
// words of the configuration in camelCase.
func settingsOf(about string) shape {
	return plain(jsonschema.Schema{Type: "object", Description: about})
}

var (
	sourceExample  = map[string]any{"A list of products": json.RawMessage(`{"name":"shop","kind":"http","url":"https://shop.example/products","rows":"$.items","key":"sku","every":"30s","bearer":"secret://shop_key"}`)}
	sinkExample    = map[string]any{"A webhook": json.RawMessage(`{"name":"shop_hook","kind":"webhook","url":"https://shop.example/hooks/images","events":["render.completed","image.removed"]}`)}
	bindingExample = map[string]any{
		"Cards of products": json.RawMessage(`{"name":"product-cards","source":"shop","template":"card","where":"stock > 0","map":{"title":"name"},"outputs":[{"format":"png"}],"sinks":["shop_hook"],"public":true}`),
	}
)

const aboutSettings = "The settings of the configuration in camelCase; an unknown one is refused with the nearest name. Nothing of the environment is put in. " +
	"Secrets are sealed and never shown: `***` stands for one that is kept, `secret://NAME` for one of the configuration's that has `api: true`. " +
	"Addresses are reached by the rules of `egress`."

// connectionOperations are those of sources, or of sinks.
func connectionOperations(kind, noun, create string, example map[string]any) operations {
	one := sends("", only[connectionView](kind)).tagged("The revision, for If-Match.")
	return operations{
		"GET /" + kind + "s": {
			id: "list" + noun + "s", tag: tagConnections, summary: noun + "s, the operator's and those made here",
			answers: answers{200: sends("", only[[]connectionView](kind+"s"))},
		},
		"POST /" + kind + "s": {
			id: "create" + noun, tag: tagConnections, summary: "Make a " + kind, detail: aboutSettings, headers: []string{"IdempotencyKey"},
			body:    takes(settingsOf(create), example),
			answers: answers{201: one.with("Location", "Its path.")},
		},
		"GET /" + kind + "s/{name}": {
			id: "get" + noun, tag: tagConnections, summary: "A " + kind, answers: answers{200: one},
		},
		"PUT /" + kind + "s/{name}": {
			id: "replace" + noun, tag: tagConnections, summary: "Change a " + kind,
			detail:  aboutSettings + " What is kept as `***` goes to the address that it was given for, and to no other.",
			headers: []string{"IfMatchMay"}, body: takes(settingsOf(create), example), answers: answers{200: one},
		},
		"DELETE /" + kind + "s/{name}": {
			id: "delete" + noun, tag: tagConnections, summary: "Delete a " + kind,
			detail: "While bindings use it, it is a 409 that names them.", answers: answers{204: {about: "It is gone."}},
		},
	}
}

var (
	sourceOperations = connectionOperations(kindSource, "Source", "A source with its `name` and `kind`.", sourceExample)
	sinkOperations   = connectionOperations(kindSink, "Sink", "A sink with its `name` and `kind`.", sinkExample)
)

var resourceOperations = operations{
	"POST /sinks/{name}/test": {
		id: "testSink", tag: tagConnections, summary: "Send one test event to a sink",
		detail:  "Its picture is a GIF of one pixel, its binding and key are `test`. That it did not arrive is an answer like another.",
		headers: []string{"IdempotencyKey"}, answers: answers{200: sends("", of[sinkTestView]())},
	},
	"POST /bindings": {
		id: "createBinding", tag: tagBindings, summary: "Make a binding",
		detail: "It is compiled with its template before it is kept, and its images follow at once. The seed product's three spellings are taken as well " +
			"(`templateId` with `dataSource`, `dataUrl` or `url`): they make a source of the binding's name, which goes with it, and need the scope `connections:write`.",
		headers: []string{"IdempotencyKey"}, body: takes(settingsOf("A binding with its `name`, `source` and `template`."), bindingExample),
		answers: answers{201: sends("", only[bindingView]("binding")).tagged("The revision, for If-Match.").with("Location", "Its path.")},
	},
	"PUT /bindings/{name}": {
		id: "replaceBinding", tag: tagBindings, summary: "Change a binding",
		detail:  "What does not compile changes nothing. The stored rows are planned again; the source is not read for it.",
		headers: []string{"IfMatchMay"}, body: takes(settingsOf("A binding; its name may be left out."), bindingExample),
		answers: answers{200: sends("", only[bindingView]("binding")).tagged("The revision, for If-Match.")},
	},
	"DELETE /bindings/{name}": {
		id: "deleteBinding", tag: tagBindings, summary: "Delete a binding",
		query:   []queryParam{{"images", "What becomes of its images: they stay where they are (the default), or they go and its sinks are told.", oneOf(bindings.Keep, bindings.Remove)}},
		answers: answers{204: {about: "It is gone."}},
	},
	"POST /bindings/{name}/pause": {
		id: "pauseBinding", tag: tagBindings, summary: "Leave the images of a binding as they are",
		detail:  "Its source is read on, so that nothing is lost. It also holds for bindings of the configuration, and over restarts.",
		headers: []string{"IdempotencyKey"}, answers: answers{200: sends("", only[bindingView]("binding"))},
	},
	"POST /bindings/{name}/resume": {
		id: "resumeBinding", tag: tagBindings, summary: "Let the images of a binding follow again",
		headers: []string{"IdempotencyKey"}, answers: answers{200: sends("", only[bindingView]("binding"))},
	},
	"POST /bindings/{name}/preview": {
		id: "previewBinding", tag: tagBindings, summary: "What a binding makes of one row",
		detail:  "Of a stored row by its key, of one that is given, or of the first there is. Nothing is rendered and nothing changes.",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[PreviewOf](), map[string]any{"A stored row": json.RawMessage(`{"key":"SKU-1"}`), "A row of your own": json.RawMessage(`{"row":{"name":"Mug","price":14.9}}`)}),
		answers: answers{200: sends("", only[previewView]("preview"))},
	},
	"GET /bindings/{name}/rows/{key}": {
		id: "getRow", tag: tagBindings, summary: "A row as it is stored and drawn, and who was told of it",
		answers: answers{200: sends("", only[historyView]("row"))},
	},
}
