package api

import "encoding/json"

var placeParams = []queryParam{
	{"binding", "Only images of this binding.", anyText()}, {"job", "Only images of this job.", anyText()},
	{"key", "Only images of this row: its key as in addresses, of a job as it was sent.", anyText()},
}

var imageOperations = operations{
	"GET /images": {
		id: "listImages", tag: tagImages, summary: "The images that there are, newest first",
		detail: "Each with how it was made. A page looks through a bounded number of images: with a filter that few of them pass it may have fewer than `limit`, or none, while `nextCursor` is there. Only `nextCursor` null is the end. " +
			"A key for some templates sees their images alone.",
		query: append([]queryParam{
			{"limit", "How many at most: 48 if it is not given.", wholeFrom(1, galleryMost)}, {"cursor", "The `nextCursor` of the page before.", anyText()},
			{"template", "Only images that this template drew.", anyText()}, {"format", "Only images of this format.", anyText()},
			{"size", "Only images of this size of their template.", anyText()},
			{"warning", "Only images with this warning, or with `any`.", oneOf(imageWarnings...)},
			{"since", "Only what was drawn then or later: a time, a day, or how long ago, as in `2h`.", anyText()},
			{"until", "Only what was drawn before.", anyText()},
		}, placeParams...),
		answers: answers{200: sends("", of[galleryPageView]())},
	},
	"GET /images/{file}/about": {
		id: "aboutImage", tag: tagImages, summary: "What an image is made of, and what it was before",
		detail: "The texts that it shows and the variables behind them, its row, how it was drawn, where the row comes from, and the image that stood there before. Several places may show the same bytes: the query says which is meant, by default the newest. " +
			"The row and its source are told to keys with the scope `bindings:read`, those of jobs to keys with `renders:read`.",
		query:   append([]queryParam{{"output", "Only this output.", anyText()}}, placeParams...),
		answers: answers{200: sends("", of[aboutView]())},
	},
	"GET /images/{file}": {
		id: "getImage", tag: tagImages, summary: "The bytes of an image, for ever",
		detail:  "An address says the hash of what it gives: it may be cached for ever and needs no key.",
		headers: []string{"IfNoneMatchETag", "Range"},
		answers: inParts(imageBytes),
	},
	"GET /b/{path...}": {
		tag: tagImages,
		detail: "The first output with the extension, or the one that is named. An image that is being made is a 404 `not_ready` with `Retry-After`. " +
			"A binding that is not public wants a key, or the `sig` of an address that sinks and results were given.",
		ways: []way{
			{"/b/{binding}/{file}", "getRowImage", "The newest image of a binding's row"},
			{"/b/{binding}/{key}/{file}", "getRowOutput", "The newest image of one of its outputs"},
		},
		headers: []string{"IfNoneMatchETag", "Range"},
		scope:   ImagesRead, signed: true, public: true,
		answers: inParts(imageBytes),
	},
}

var imageBytes = files("The image.", "image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf").tagged("The hash of the bytes, in quotes.")

// inKind is an answer of text with an ETag.
func inKind(kind string) reply {
	return reply{kinds: map[string]shape{kind: anyText()}}.tagged("A digest of the text.")
}

var serverOperations = operations{
	"GET /openapi.json": {
		id: "getDocument", tag: tagServer, summary: "This description",
		headers: []string{"IfNoneMatchETag"},
		answers: answers{200: sends("An OpenAPI document.", of[map[string]any]()).tagged("A digest of the document."), 304: {about: "You have it."}},
	},
	"GET /docs": {page: true},
	"GET /docs/{page}": {
		id: "readDocs", tag: tagServer, summary: "A page of the documentation",
		headers: []string{"IfNoneMatchETag"},
		answers: answers{200: inKind("text/markdown"), 304: {about: "You have it."}},
	},
	"GET /llms.txt": {
		id: "readForModels", tag: tagServer, summary: "What this is, for programs that read",
		detail:  "With the addresses of this description, of every page of the documentation, and of what agents use.",
		headers: []string{"IfNoneMatchETag"},
		answers: answers{200: inKind("text/plain"), 304: {about: "You have it."}},
	},
	"GET /llms-full.txt": {
		id: "readAllForModels", tag: tagServer, summary: "The same with all pages",
		headers: []string{"IfNoneMatchETag"},
		answers: answers{200: inKind("text/plain"), 304: {about: "You have it."}},
	},
	"POST /mcp": {
		id: "askByMCP", tag: tagServer, summary: "A message of an agent",
		detail: "The streamable HTTP transport of the Model Context Protocol: JSON-RPC, a message a request, without sessions. `docs/mcp.md` says how to connect a client, and lists the tools. " +
			"Any key will do; what a tool asks of the API, it asks with that key, and its scopes, rate and quota hold. A session of a browser will not do.",
		body: takes(of[map[string]any](), map[string]any{"Which tools there are": json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)}),
		answers: answers{
			200: {about: "The answer, after what is told meanwhile.", kinds: map[string]shape{"text/event-stream": each("application/json", of[map[string]any]())}},
			202: {about: "It was a notification."},
			400: {about: "It is no message of the protocol, or of a version that is not spoken.", kinds: map[string]shape{"text/plain": anyText(), "application/json": of[map[string]any]()}},
			413: {about: "It is larger than 4 MB.", kinds: map[string]shape{"text/plain": anyText()}},
			415: {about: "It is not sent as JSON.", kinds: map[string]shape{"text/plain": anyText()}},
		},
	},
	"GET /{$}":              {page: true},
	"GET /studio/{path...}": {page: true},
	"GET /studio/frame":     {page: true},
	"GET /studio/remote":    {page: true},
	"GET /favicon.ico":      {page: true},
	"GET /session": {
		id: "whoAmI", tag: tagKeys, summary: "Who asks, and what they may do",
		detail:  "By a key, or by the session that the browser has. Any key will do; one that is unknown or over is a 401, as everywhere.",
		answers: answers{200: sends("", of[sessionView]())},
	},
	"POST /session":   {page: true},
	"DELETE /session": {page: true},
	"GET /errors/{slug}": {
		id: "explainProblem", tag: tagServer, summary: "What a problem's type means",
		answers: answers{200: {kinds: map[string]shape{"text/plain": anyText()}}},
	},
	"GET /healthz": {
		id: "healthy", tag: tagServer, summary: "Whether the process answers",
		answers: answers{200: sends("", object(property{"status", "`ok`", anyText()}, property{"version", "Of pictifyd.", anyText()}))},
	},
	"GET /readyz": {
		id: "ready", tag: tagServer, summary: "Whether the daemon can do its work",
		answers: answers{
			200: sends("It can. A source that cannot be read takes nothing of that away.", of[readyView]()),
			503: sends("It cannot now.", object(property{"status", "`not ready`", anyText()}, property{"waitingFor", "", of[[]string]()})),
		},
	},
	"GET /system": {
		id: "getSystem", tag: tagServer, summary: "What the daemon runs on, and what it is made of",
		detail: "Versions, Chromes, queue, caches, disk, the configuration that is in effect, and what `pictifyd doctor` would say of this machine, as far as that needs no Chrome of its own. " +
			"In the configuration secrets, passwords in addresses, and whatever came from variables or files are `***`.",
		answers: answers{200: sends("", of[systemView]())},
	},
	"GET /metrics": {
		id: "metrics", tag: tagServer, summary: "Metrics for Prometheus",
		answers: answers{200: {kinds: map[string]shape{"text/plain": anyText()}}},
	},
}
