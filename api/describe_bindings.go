package api

import "encoding/json"

var bindingOperations = operations{
	"GET /bindings": {
		id: "listBindings", tag: tagBindings, summary: "Bindings with their state",
		answers: answers{200: sends("", only[[]bindingView]("bindings"))},
	},
	"GET /bindings/{name}": {
		id: "getBinding", tag: tagBindings, summary: "A binding with its state",
		answers: answers{200: sends("", only[bindingView]("binding"))},
	},
	"GET /bindings/{name}/rows": {
		id: "listRows", tag: tagBindings, summary: "The rows of a binding's source",
		detail:  "With them come the first rows that failed, and those that are kept out.",
		query:   []queryParam{{"after", "Only rows behind this key.", anyText()}, limitParam},
		answers: answers{200: sends("", of[rowPage]())},
	},
	"POST /bindings/{name}/refresh": {
		id: "refreshBinding", tag: tagBindings, summary: "Read the source now, or draw again",
		detail:  "Without a body the whole source is read, which is a job like any other: `statusUrl` shows how far it is, and its results are the rows of the reading. Asked again before it begins, it is the same job. `keys` asks it for some rows only, where it can be asked for one; `force` reads nothing and has images drawn again although nothing changed. These two answer with `rows` (that the source was asked for), `missing` (keys that there are not), `reading` (whether the whole source is read, because it can't be asked for one row) and `images` (that are drawn again).",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[refreshRequest](), map[string]any{"Two rows": json.RawMessage(`{"keys":["SKU-1","SKU-2"]}`), "Everything drawn again": json.RawMessage(`{"force":true}`)}),
		answers: answers{202: sends("", either(of[runAccepted](), of[refreshView]()))},
	},
	"POST /bindings/{name}/run": {
		id: "runBinding", tag: tagBindings, summary: "Run a binding as its schedule does",
		detail: "The source is read for the moment `at`, which has to be over, or for now; a binding needs no schedule for it. The run is a job like any other, and when it has ended the sinks of `on_run` are told once. " +
			"Asked for the same moment before it has ended, it is the same job. What looks as before is not made again.",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[runRequest](), map[string]any{"Of a past month": json.RawMessage(`{"at":"2026-10-01"}`)}),
		answers: answers{202: sends("", of[runAccepted]())},
	},
	"GET /bindings/{name}/pipeline": {
		id: "getPipeline", tag: tagBindings, summary: "The way of a binding's rows, stage by stage",
		detail:  "From the source to whoever is told: how each stage goes, how long it takes, and what to do about what is wrong. Each fault stands at the stage where it is.",
		answers: answers{200: sends("", of[pipelineView]())},
	},
	"GET /bindings/{name}/readings": {
		id: "listReadings", tag: tagBindings, summary: "How the source of a binding was read lately",
		detail: "The newest of the last 50 readings that changed something or did not go as the one before them; those that changed nothing are counted by `unchangedReadings`. " +
			"Rows that are sent, and those of streams, are no readings.",
		query:   []queryParam{{"limit", "How many at most: 50 if it is not given.", wholeFrom(1, pastReadings)}},
		answers: answers{200: sends("", of[readingsView]())},
	},
	"GET /bindings/{name}/changes": {
		id: "listChanges", tag: tagBindings, summary: "What the last reading changed",
		detail: "The rows of the source that the last reading changed which changed any, with their values before and after. The values of 200 rows of a reading are kept, of at most 64 KiB each; `more` counts the others. " +
			"A row that a complete reading did not have is removed, also while its image stays for the grace of its binding.",
		query:   []queryParam{{"limit", "How many at most: 200 if it is not given.", wholeFrom(1, pastRows)}},
		answers: answers{200: sends("", of[changesView]())},
	},
	"GET /bindings/{name}/guard": {
		id: "getGuard", tag: tagBindings, summary: "What the guard holds",
		detail:  "With a sample: which rows, and which texts of their pictures would be others.",
		query:   []queryParam{{"after", "Only rows behind this key.", anyText()}, limitParam},
		answers: answers{200: sends("", only[guardView]("guard"))},
	},
	"POST /bindings/{name}/guard/accept": {
		id: "acceptGuard", tag: tagBindings, summary: "Let through what the guard holds",
		detail:  "A body that says what was seen is refused if something else is held by now.",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[guardRequest](), map[string]any{"What was seen": json.RawMessage(`{"changes":120,"removals":3}`)}),
		answers: answers{200: sends("", object(property{"status", "`accepted`", anyText()}, property{"binding", "", anyText()}, property{"accepted", "How many rows.", of[int]()}))},
	},
	"GET /events": {
		id: "watchEverything", tag: tagBindings, summary: "The state of everything as it happens",
		detail:  "Server-sent events named `state`: how all goes and what wants a person, bindings, the newest jobs and images, whole each time. The key must see every template.",
		answers: answers{200: streams("", "text/event-stream", of[overview]())},
	},
	"GET /overview": {
		id: "getOverview", tag: tagBindings, summary: "How all goes, and what wants a person",
		detail: "The state that `GET /events` sends, once. `health` is one sentence, judged when it is asked for: `at` says when. Each entry of `attention` has a cause and a next step, and often a request that is that step. " +
			"The key must see every template.",
		answers: answers{200: sends("", of[overview]())},
	},
}

// A rowPage is a page of rows, with what keeps rows from their picture.
type rowPage struct {
	Rows        []rowView        `json:"rows"`
	Failed      []failedView     `json:"failed"`
	Quarantined []quarantineView `json:"quarantined"`
	Next        string           `json:"next,omitempty"` // the after of the next page
}

// A guardRequest is what was seen to be held.
type guardRequest struct {
	Changes  *int64 `json:"changes,omitempty"`
	Removals *int64 `json:"removals,omitempty"`
}
