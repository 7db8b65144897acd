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
			"`docs/operations.md` has all operations.",
		headers: []string{"IfMatch", "IdempotencyKey"},
		body:    takes(of[editRequest](), map[string]any{"A new text": json.RawMessage(`{"ops":[{"op":"set_text","id":"title","text":"Hello"}],"author":"Ada"}`)}),
		answers: answers{200: stepTaken},
	},
	"DELETE /templates/{id}/draft": {
		id: "discardDraft", tag: tagDrafts, summary: "Make the draft the newest version again",
		headers: []string{"IfMatch"},
		answers: answers{200: sends("", only[draftView]("draft")).tagged("The draft's revision.")},
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
