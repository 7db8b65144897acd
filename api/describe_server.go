package api

var imageOperations = operations{
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

var serverOperations = operations{
	"GET /openapi.json": {
		id: "getDocument", tag: tagServer, summary: "This description",
		headers: []string{"IfNoneMatchETag"},
		answers: answers{200: sends("An OpenAPI document.", of[map[string]any]()).tagged("A digest of the document."), 304: {about: "You have it."}},
	},
	"GET /docs":          {page: true},
	"GET /{$}":           {page: true},
	"GET /studio/{file}": {page: true},
	"GET /studio/frame":  {page: true},
	"GET /studio/remote": {page: true},
	"GET /favicon.ico":   {page: true},
	"POST /session":      {page: true},
	"DELETE /session":    {page: true},
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
	"GET /metrics": {
		id: "metrics", tag: tagServer, summary: "Metrics for Prometheus",
		answers: answers{200: {kinds: map[string]shape{"text/plain": anyText()}}},
	},
}
