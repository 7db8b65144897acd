package api

import "encoding/json"

var placeParam = queryParam{"from", "Where the rows come from: `samples` (where nothing is said), `binding:NAME`, `source:NAME` or `job:ID`.", anyText()}

var rowParams = []queryParam{
	{"at", "The row's place, from 0; the last one where there are not so many.", wholeFrom(0, 1<<40)},
	{"pick", "`first`, `last`, `random`, `emptiest`, or `longest:VARIABLE`, `shortest:VARIABLE`, `empty:VARIABLE`.", anyText()},
	{"seed", "Of `random`: the same one picks the same row.", wholeFrom(0, 1<<53)},
}

var trialOperations = operations{
	"GET /templates/{id}/rows": {
		id: "getTrialRow", tag: tagDrafts, summary: "A row to try the draft with",
		detail:  "Without `at`, `key` and `pick` it is the first row, and `choices` are the places that have rows.",
		query:   append([]queryParam{placeParam, {"key", "The row's key, as in paths.", anyText()}}, rowParams...),
		answers: answers{200: sends("", of[trialRowView]())},
	},
	"POST /templates/{id}/rows": {
		id: "tryRows", tag: tagDrafts, summary: "One of the rows that are sent",
		detail: "Rows to try the draft with that are kept nowhere. JSON is a list of objects, or one.",
		query:  append([]queryParam{{"format", "Of the body, where its type does not tell.", oneOf("csv", "tsv", "json", "ndjson", "xlsx")}}, rowParams...),
		body: &requestBody{kinds: map[string]shape{
			"application/json": of[map[string]any](), "application/x-ndjson": each("application/x-ndjson", of[map[string]any]()),
			"text/csv": anyText(), "text/tab-separated-values": anyText(),
			"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": bytesOf(),
		}},
		answers: answers{200: sends("", of[trialRowView]())},
	},
	"GET /templates/{id}/stress": {
		id: "getStressRows", tag: tagDrafts, summary: "The hardest rows to try the draft with",
		detail:  "Rows of the place that are extreme, then made ones that are harder still, as far as the template takes them.",
		query:   []queryParam{placeParam},
		answers: answers{200: sends("", of[stressView]())},
	},
	"POST /templates/{id}/draft/render": {
		id: "sketchDraft", tag: tagDrafts, summary: "The draft as the renderer draws it",
		detail: "The picture is kept nowhere. `boxes` say where each element of the body is, in the order of the document, so that an editor can hold its own layout against them. " +
			"With `against`, what differs from a version's picture of the same row is told, too. A client that accepts `image/*` gets the bytes alone.",
		body: takes(of[sketchRequest](), map[string]any{"A row in another size": json.RawMessage(`{"size":"story","variables":{"title":"Hello"}}`)}),
		answers: answers{200: {kinds: map[string]shape{
			"application/json": of[sketchView](), "image/png": bytesOf(), "image/jpeg": bytesOf(), "image/webp": bytesOf(),
		}}},
	},
	"POST /templates/{id}/draft/check": {
		id: "checkDraft", tag: tagDrafts, summary: "How rows come out with the draft",
		detail: "Each row is laid out by the renderer, equal ones once, and no picture is kept. The check ends when the client goes.\n\n" +
			"With `Accept: text/event-stream` it tells how far it is: `progress`, `finding`, and at the end `done`, whose data is the answer of others, or `failed`, a problem.",
		body: takes(of[checkRequest](), map[string]any{"The rows of a binding": json.RawMessage(`{"from":"binding:cards","limit":1000}`)}),
		answers: answers{200: {kinds: map[string]shape{
			"application/json": of[checkView](), "text/event-stream": each("application/json", either(of[checkView](), of[checkProgress](), of[checkFinding](), of[document]())),
		}}},
	},
	"GET /templates/{id}/versions/{number}/picture": {
		id: "getVersionPicture", tag: tagTemplates, summary: "A row as a version draws it",
		detail: "`draft` is a number here, too.",
		query: append([]queryParam{
			{"size", "One of the template's; the first where nothing is said.", anyText()}, {"theme", "One of the template's.", anyText()},
			{"page", "Of several, from 1.", wholeFrom(1, 1000)}, placeParam, {"key", "The row's key, as in paths.", anyText()},
		}, rowParams...),
		answers: answers{200: files("", "image/png").with("X-Row", "The row's place.")},
	},
	"GET /bindings/{name}/mapping": {
		id: "getMapping", tag: tagBindings, summary: "How the columns of a binding become variables",
		detail:  "The variables are those of the template's draft. `map` has what is proposed for variables that nothing fills, as `PUT /bindings/{name}` takes it.",
		query:   []queryParam{{"template", "Another template than the binding's.", anyText()}},
		answers: answers{200: sends("", of[mappingView]())},
	},
	"POST /bindings/{name}/mapping/preview": {
		id: "previewMapping", tag: tagBindings, summary: "Try another mapping on rows of a binding",
		detail:  "Each expression is computed by itself, so that one that fails hides no other. Nothing is saved.",
		body:    takes(of[mappingRequest](), map[string]any{"An expression": json.RawMessage(`{"map":{"recipient_name":"name"}}`)}),
		answers: answers{200: sends("", of[mappingView]())},
	},
	"POST /templates/{id}/mapping": {
		id: "mapTemplate", tag: tagDrafts, summary: "Try a mapping where there is no binding yet",
		body:    takes(of[mappingRequest](), map[string]any{"Of a source": json.RawMessage(`{"source":"shop"}`)}),
		answers: answers{200: sends("", of[mappingView]())},
	},
}
