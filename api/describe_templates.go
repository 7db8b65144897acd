package api

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/starter"
)

var templateOperations = operations{
	"GET /templates": {
		id: "listTemplates", tag: tagTemplates, summary: "The templates that the key may use",
		query:   []queryParam{{"q", "Only those whose name has this in it.", anyText()}, {"after", "Only those behind this name.", anyText()}, {"limit", "At most so many; without it all.", wholeFrom(1, maxPage)}},
		answers: answers{200: sends("", of[templatePage]())},
	},
	"GET /templates/{id}": {
		id: "getTemplate", tag: tagTemplates, summary: "A template's newest version",
		query:   []queryParam{{"as", "Its text, or its layers.", oneOf("html", "tree")}},
		answers: answers{200: sends("", only[templateView]("template")).tagged("The number of the version.")},
	},
	"GET /templates/{id}/variables": {
		id: "getVariables", tag: tagTemplates, summary: "What rows must bring",
		answers: answers{200: sends("", object(nameOfTemplate, property{"version", "Their version of the template.", of[int64]()},
			property{"variables", "", of[[]template.Var]()}))},
	},
	"POST /templates": {
		id: "createTemplate", tag: tagTemplates, summary: "Make a template",
		detail: "From a document, from a ZIP with the document and its files under `assets/`, or `from` a starter.",
		query:  []queryParam{{"name", "Its name, where the body has none.", anyText()}, authorParam},
		body: &requestBody{kinds: map[string]shape{"application/json": of[templatePush](), "text/html": anyText(), "application/zip": bytesOf()},
			example: map[string]any{"A starter": json.RawMessage(`{"name":"badge","from":"certificate"}`)}},
		answers: answers{201: published, 200: published},
	},
	"GET /starters": {
		id: "listStarters", tag: tagTemplates, summary: "What a new template can begin with",
		answers: answers{200: sends("", only[[]starter.Starter]("starters"))},
	},
	"PUT /templates/{id}": {
		id: "replaceTemplate", tag: tagTemplates, summary: "Make a document the newest version",
		query: []queryParam{authorParam}, headers: []string{"IfMatch", "IfNoneMatch"},
		body:    &requestBody{kinds: map[string]shape{"application/json": of[templatePush](), "text/html": anyText(), "application/zip": bytesOf()}},
		answers: answers{200: published, 201: published},
	},
	"DELETE /templates/{id}": {
		id: "deleteTemplate", tag: tagTemplates, summary: "Delete a template with its versions and its draft",
		detail:  "One that a binding uses, or a job that has not ended, is a 409. Pictures that were made of it stay with what shows them.",
		answers: answers{204: {about: "It is gone."}},
	},
	"GET /templates/{id}/archive.zip": {
		id: "downloadTemplate", tag: tagTemplates, summary: "A template with its files as a ZIP",
		query:   []queryParam{{"version", "An older version's number.", wholeFrom(1, 1<<31)}},
		answers: answers{200: files("", "application/zip").tagged("The number of the version.")},
	},
}

var draftOperations = operations{
	"GET /templates/{id}/versions": {
		id: "listVersions", tag: tagDrafts, summary: "Versions, the newest first",
		query:   []queryParam{{"before", "Only those below this number.", wholeFrom(1, 1<<31)}, limitParam},
		answers: answers{200: sends("", of[versionPage]())},
	},
	"GET /templates/{id}/versions/{number}": {
		id: "getVersion", tag: tagDrafts, summary: "A version",
		answers: answers{200: sends("", object(nameOfTemplate, property{"version", "", of[versionView]()}))},
	},
	"GET /templates/{id}/versions/{number}/compare": {
		id: "compareVersions", tag: tagDrafts, summary: "What turns a version into another",
		query:   []queryParam{{"to", "The other's number; without it the newest.", wholeFrom(1, 1<<31)}},
		answers: answers{200: sends("", of[comparisonView]())},
	},
	"POST /templates/{id}/versions/{number}/restore": {
		id: "restoreVersion", tag: tagDrafts, summary: "Make the draft what a version was",
		headers: []string{"IdempotencyKey"}, body: mayTake(of[authorRequest](), nil),
		answers: answers{200: stepTaken},
	},
	"GET /templates/{id}/draft": {
		id: "getDraft", tag: tagDrafts, summary: "The draft as it stands",
		answers: answers{200: sends("", only[draftView]("draft")).tagged("The draft's revision.")},
	},
	"PATCH /templates/{id}/draft": {
		id: "editDraft", tag: tagDrafts, summary: "Change the draft by operations",
		detail: "Operations that were meant for an older revision are applied on the newest, unless somebody else touched the same: then the answer is a 409 with both. " +
			"`docs/template-operations.md` has all operations. With `view` the answer has, instead of the draft, what an editor needs to show the step: " +
			"the changed elements as they are with that row, the changed nodes of the tree, and the change of the text.",
		headers: []string{"IfMatch", "IdempotencyKey"},
		body:    takes(of[editRequest](), map[string]any{"A new text": json.RawMessage(`{"ops":[{"op":"set_text","id":"title","text":"Hello"}],"author":"Ada"}`)}),
		answers: answers{200: sends("", either(of[doneView](), of[editedView]())).tagged("The draft's revision.")},
	},
	"DELETE /templates/{id}/draft": {
		id: "discardDraft", tag: tagDrafts, summary: "Make the draft the newest version again",
		headers: []string{"IfMatch"},
		answers: answers{200: sends("", only[draftView]("draft")).tagged("The draft's revision.")},
	},
	"GET /operations": {
		id: "listOperations", tag: tagDrafts, summary: "The operations by which drafts are changed",
		query:   []queryParam{{"op", "Only this one.", anyText()}},
		answers: answers{200: sends("", of[operationList]())},
	},
	"GET /templates/{id}/draft/tree": {
		id: "getDraftTree", tag: tagDrafts, summary: "The draft as an editor sees it",
		detail:  "Pages and layers with their styles, bindings and places in the text. Offsets are UTF-16 units. An *address* is the id of an element, or its path where it has none of its own.",
		answers: answers{200: sends("", of[treeView]()).tagged("The draft's revision.")},
	},
	"POST /templates/{id}/draft/view": {
		id: "viewDraft", tag: tagDrafts, summary: "The draft's page with a row in it, marked for an editor",
		detail: "The page is what the renderer gets, but that each element has `data-p-node` with its address, and that files are where an editor finds them. " +
			"An expression that fails keeps its last good value, with the error beside it.",
		body:    mayTake(of[viewOrder](), map[string]any{"A size": json.RawMessage(`{"size":"story","variables":{"title":"Hello"}}`)}),
		answers: answers{200: sends("", of[canvasView]()).tagged("The draft's revision.")},
	},
	"PUT /templates/{id}/draft/source": {
		id: "rewriteDraft", tag: tagDrafts, summary: "Make the draft the text that somebody typed",
		detail: "The step is the operations that the change amounts to: `ops`, and `inverse`. It is for who saw the draft as it stands: any other revision is a 412. " +
			"A text that is no template is a 422 with its places, and nothing changes.",
		headers: []string{"IfMatch", "IdempotencyKey"},
		body:    takes(of[rewriteRequest](), map[string]any{"A text": json.RawMessage(`{"html":"<!doctype html><html><head></head><body><section id=\"page\" class=\"p-page\"></section></body></html>"}`)}),
		answers: answers{200: sends("", of[editedView]()).tagged("The draft's revision.")},
	},
	"GET /templates/{id}/draft/assets": {
		id: "listDraftAssets", tag: tagDrafts, summary: "The draft's files",
		answers: answers{200: sends("", of[draftAssetList]()).tagged("The draft's revision.")},
	},
	"GET /templates/{id}/draft/assets/{path...}": {
		ways: []way{{"/templates/{id}/draft/assets/{path}", "getDraftAsset", "A file of the draft"}}, tag: tagDrafts,
		query:   []queryParam{{"v", "The digest: with that of the file the answer may be kept for ever.", anyText()}},
		answers: answers{200: files("", "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml", "font/woff2", "font/woff", "font/ttf", "font/otf").tagged("The digest of the bytes.")},
	},
	"PUT /templates/{id}/draft/assets/{path...}": {
		ways: []way{{"/templates/{id}/draft/assets/{path}", "putDraftAsset", "Give the draft a file"}}, tag: tagDrafts,
		detail: "An image or a font by what its bytes are, 20 MB at most. It is a step of the draft: `inverse` takes it back.",
		query:  []queryParam{{"author", "Whose the step is said to be.", anyText()}}, headers: []string{"IfMatch"},
		body:    &requestBody{kinds: map[string]shape{"application/octet-stream": bytesOf()}},
		answers: answers{200: sends("", of[assetStep]()).tagged("The draft's revision.")},
	},
	"DELETE /templates/{id}/draft/assets/{path...}": {
		ways: []way{{"/templates/{id}/draft/assets/{path}", "deleteDraftAsset", "Take a file out of the draft"}}, tag: tagDrafts,
		detail: "One that the document names is a 422.",
		query:  []queryParam{{"author", "Whose the step is said to be.", anyText()}}, headers: []string{"IfMatch"},
		answers: answers{200: sends("", of[assetStep]()).tagged("The draft's revision.")},
	},
	"POST /templates/{id}/draft/undo": {
		id: "undoStep", tag: tagDrafts, summary: "Take back the author's last step",
		headers: []string{"IdempotencyKey"}, body: mayTake(of[authorRequest](), nil),
		answers: answers{200: stepTaken},
	},
	"GET /templates/{id}/publish": {
		id: "forecastPublish", tag: tagDrafts, summary: "What publishing the draft would render",
		answers: answers{200: sends("", of[forecastView]()).tagged("The draft's revision.")},
	},
	"POST /templates/{id}/publish": {
		id: "publishDraft", tag: tagDrafts, summary: "Make the draft a version",
		detail:  "Only the images that change by it are made again. With `dryRun` it answers as `GET` does, and changes nothing.",
		headers: []string{"IfMatch", "IdempotencyKey"}, body: mayTake(of[publishRequest](), nil),
		answers: answers{200: sends("", either(of[publishedView](), of[forecastView]())).tagged("The number of the version.")},
	},
}

var (
	nameOfTemplate = property{"templateUid", "The name of the template.", anyText()}
	authorParam    = queryParam{"author", "Who a version is said to be by, where the body does not say.", anyText()}
	published      = sends("", of[publishedView]()).tagged("The number of the version.")
	stepTaken      = sends("", of[doneView]()).tagged("The draft's revision.")
)

// A templatePush is a template as JSON: its document, or the starter that it
// begins as.
type templatePush struct {
	Name   string `json:"name,omitempty"`
	HTML   string `json:"html,omitempty"`
	From   string `json:"from,omitempty"` // the name of a starter, instead of html
	Author string `json:"author,omitempty"`
}

// An authorRequest says whose a step is.
type authorRequest struct {
	Author string `json:"author,omitempty"` // without it the name of the key
}

// An editRequest is a step of a draft.
type editRequest struct {
	Ops    []map[string]any `json:"ops"`
	Author string           `json:"author,omitempty"` // without it the name of the key
	View   *viewOrder       `json:"view,omitempty"`   // what an editor shows: the answer is then what becomes of it
	DryRun bool             `json:"dryRun,omitempty"` // take no step: the answer is what would come of it, at the revision that there is
}

// A publishRequest makes a draft a version.
type publishRequest struct {
	Author string `json:"author,omitempty"` // without it the name of the key
	Over   string `json:"over,omitempty"`   // the digest of what stands in the way, and has been seen
	DryRun bool   `json:"dryRun,omitempty"` // only count what it would render
}

// A publishedView is the version that there is now.
type publishedView struct {
	TemplateUID string      `json:"templateUid"`
	Version     versionView `json:"version"`
	Changed     bool        `json:"changed"`             // false: this was the newest version already
	FileError   string      `json:"fileError,omitempty"` // why the folder could not be written
}

// A versionPage is a page of versions.
type versionPage struct {
	TemplateUID string        `json:"templateUid"`
	Versions    []versionView `json:"versions"`
	Next        int64         `json:"next,omitempty"` // the before of the next page
}

// A comparisonView is what turns a version into another.
type comparisonView struct {
	TemplateUID string        `json:"templateUid"`
	From        int64         `json:"from"`
	To          int64         `json:"to"`
	Same        bool          `json:"same"`
	Diff        string        `json:"diff"` // as diff -u has it
	Variables   draft.Changes `json:"variables"`
	Sizes       draft.Changes `json:"sizes"`
	Assets      draft.Changes `json:"assets"`
}
