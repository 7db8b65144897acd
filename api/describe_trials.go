package api

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
}
