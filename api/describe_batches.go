package api

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// The requests here are for the document alone: batch.Decode reads a body as it
// comes. A test holds them against the fields that it knows.

var batchOperations = operations{
	"POST /tables/inspect": {
		id: "inspectTable", tag: tagBatches, summary: "What rows look like, before they are a batch",
		detail: "All rows are read as a batch would read them, and nothing is kept: the columns with what they look like, rows that can't be read, and for a `template` which column is for which variable. " +
			"`mapping` is what a batch takes as `mapping`. JSON is a list of rows, or an object with the list at `sourceRows`.",
		query: []queryParam{
			{"template", "Whose variables the columns are for.", anyText()}, {"format", "Instead of the Content-Type.", oneOf(tableFormats...)},
			{"delimiter", "Of a CSV, where it is not to be found out.", anyText()}, {"sheet", "Of an XLSX, instead of its first.", anyText()},
			{"sourceRows", "Where in a JSON document the rows are, as in `$.items`.", anyText()},
		},
		body: &requestBody{kinds: map[string]shape{
			"application/json": either(of[[]map[string]any](), of[map[string]any]()), "application/x-ndjson": each("application/x-ndjson", of[map[string]any]()),
			"text/csv": anyText(), "text/tab-separated-values": anyText(),
			"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": bytesOf(),
		}},
		answers: answers{200: sends("", of[tableView]())},
	},
	"POST /templates/{id}/batch-render": {
		id: "createBatch", tag: tagBatches, summary: "Render a picture for every row",
		detail: "The rows are accepted whole or not at all, up to 100,000 at once. A row that is wrong in itself is a failed row and refuses nothing. " +
			"When the last row has ended, `webhookUrl` is called once; until then `statusUrl` and `eventsUrl` say how far it is.\n\n" +
			"JSON has the rows in `variables`. NDJSON, CSV, TSV and XLSX are rows alone, a line each; all other fields are then those of the query, as in " +
			"`?rowKey=sku&format=jpeg&quality=85`, and `outputs`, `mapping` and `metadata` are JSON there. `sourceUrl`, `source` and `binding` name rows that are fetched. " +
			"With `experiment` each row is assigned when it is planned, and results have `variant` and `clickUrl`; in a query it is `experiment=SLUG&experimentUnit=COLUMN`. " +
			"The body may be packed, with `Content-Encoding: gzip` or `zstd`.\n\n" +
			"What stands beside `outputs` is the default of what stands in it. The names of the seed product's dialect are read as well.",
		headers: []string{"IdempotencyKey"},
		body: &requestBody{
			kinds: map[string]shape{
				"application/json": of[batchRequest](), "application/x-ndjson": each("application/x-ndjson", of[map[string]any]()),
				"text/csv": anyText(), "text/tab-separated-values": anyText(),
				"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": bytesOf(),
			},
			example: map[string]any{
				"A certificate for every graduate": json.RawMessage(`{"variables":[
{"recipient_name":"Ada Lovelace","course_name":"Analytical engines","completion_date":"2026-11-24","certificate_id":"C-1001"},
{"recipient_name":"Grace Hopper","course_name":"Compilers","completion_date":"2026-11-24","certificate_id":"C-1002"}],
"webhookUrl":"https://yourapp.com/hooks/batch-complete"}`),
				"PNG and PDF of each, found by a key": json.RawMessage(`{"rowKey":"certificate_id","outputs":[{"format":"png"},{"format":"pdf"}],"metadata":{"cohort":7},
"variables":[{"recipient_name":"Ada Lovelace","course_name":"Analytical engines","completion_date":"2026-11-24","certificate_id":"C-1001"}]}`),
			},
		},
		answers: answers{
			202: sends("The batch was accepted, and nothing of it will be lost.", of[batch.Accepted]()).with("Location", "The path of the job."),
			200: sends("What the batch would come to: an answer to `dryRun`, which accepts nothing.", of[batch.DryRun]()),
		},
	},
}

// A batchRequest is the body of a batch.
type batchRequest struct {
	Variables    []map[string]any `json:"variables,omitempty"`    // the rows: the values of one picture each
	VariableSets []map[string]any `json:"variableSets,omitempty"` // another name of variables

	WebhookURL    string       `json:"webhookUrl,omitempty"`    // is called once, when every row has ended
	WebhookEvents []batchEvent `json:"webhookEvents,omitempty"` // batch.completed, where nothing is said; the others come for each row

	RowKey         string               `json:"rowKey,omitempty"`         // the variable that names a row in results; without it the row's index does
	Mapping        map[string]string    `json:"mapping,omitempty"`        // of variables to expressions over the columns of a row; the other variables take the column of their name
	Experiment     *bindings.Experiment `json:"experiment,omitempty"`     // by which each row is drawn as the variant of its unit
	ExperimentUnit string               `json:"experimentUnit,omitempty"` // the unit of experiment, where a query has only its slug

	Metadata json.RawMessage `json:"metadata,omitempty"` // comes back in results and in the webhook; at most 64 KiB
	Outputs  []outputRequest `json:"outputs,omitempty"`  // the pictures of each row; without it one
	Sizes    []string        `json:"sizes,omitempty"`    // instead of outputs: one output for each size of the template
	Layouts  []string        `json:"layouts,omitempty"`  // another name of sizes

	Size   string `json:"size,omitempty"`   // of the template's sizes
	Layout string `json:"layout,omitempty"` // another name of size
	Theme  string `json:"theme,omitempty"`  // of the template's themes

	Priority        batch.Priority `json:"priority,omitempty"`        // how soon, beside other jobs; normal, where nothing is said
	MaxErrors       int            `json:"maxErrors,omitempty"`       // the job is stopped when so many rows have failed
	TemplateVersion int64          `json:"templateVersion,omitempty"` // a version of the template instead of the newest
	Version         int64          `json:"version,omitempty"`         // another name of templateVersion
	DryRun          bool           `json:"dryRun,omitempty"`          // check every row, render a sample, say how long it would take; accept nothing

	SourceURL  string `json:"sourceUrl,omitempty"`  // an address where the rows are, as JSON, NDJSON, CSV, TSV or XLSX
	Source     string `json:"source,omitempty"`     // a source whose rows are taken as they are now
	Binding    string `json:"binding,omitempty"`    // a binding whose rows are taken, with its map and where
	SourceRows string `json:"sourceRows,omitempty"` // where in a JSON document the rows are: $.items
	Delimiter  string `json:"delimiter,omitempty"`  // of a CSV, where it is not to be found out
	Sheet      string `json:"sheet,omitempty"`      // of an XLSX, instead of its first

	encodingRequest
	languageRequest

	Concurrency int `json:"concurrency,omitempty"` // is read and has no effect: how many renders run at once is the daemon's matter
}

// An outputRequest is one picture of each row.
type outputRequest struct {
	Name   string `json:"name,omitempty"`   // in results; without it its size, or its format
	Size   string `json:"size,omitempty"`   // of the template's sizes
	Layout string `json:"layout,omitempty"` // another name of size
	Theme  string `json:"theme,omitempty"`  // of the template's themes
	Page   int    `json:"page,omitempty"`   // of a template with several; counts from 1

	encodingRequest
	languageRequest
}

// An encodingRequest says what file a picture becomes.
type encodingRequest struct {
	Format        imageFormat `json:"format,omitempty"`        // png, where nothing is said
	FileExtension imageFormat `json:"fileExtension,omitempty"` // another name of format

	Quality           float64 `json:"quality,omitempty"`           // of JPEG and WebP: up to 1 a fraction, above it percent
	Scale             float64 `json:"scale,omitempty"`             // pixels per CSS pixel, from 1 to 3
	DeviceScaleFactor float64 `json:"deviceScaleFactor,omitempty"` // another name of scale
	Transparent       bool    `json:"transparent,omitempty"`       // what the page does not paint stays clear
	Compression       string  `json:"compression,omitempty"`       // of a PNG: fast, small or palette
	MaxBytes          measure `json:"maxBytes,omitempty"`          // quality is given up to stay within it: 200KB

	Animated bool    `json:"animated,omitempty"` // a WebP that moves; a GIF always does
	FPS      int     `json:"fps,omitempty"`      // frames a second, from 1 to 50
	Duration measure `json:"duration,omitempty"` // of one round: seconds, or a text as 2s
	Loops    int     `json:"loops,omitempty"`    // rounds; 0 is for ever

	Paper     string  `json:"paper,omitempty"`     // of a PDF: a4, letter and others; without it the page's own size
	Preset    string  `json:"preset,omitempty"`    // another name of paper
	Landscape bool    `json:"landscape,omitempty"` // the paper lies on its side
	Margin    margins `json:"margin,omitzero"`     // of the paper: 10mm, a number of pixels, or sides
	Margins   margins `json:"margins,omitzero"`    // another name of margin
	Title     string  `json:"title,omitempty"`     // in the properties of a PDF
}

// A languageRequest says how dates, numbers and money are written.
type languageRequest struct {
	Locale   string `json:"locale,omitempty"`   // as de-DE
	Timezone string `json:"timezone,omitempty"` // as Europe/Berlin
	Currency string `json:"currency,omitempty"` // as EUR
}

// An imageFormat is a kind of file.
type imageFormat string

// A batchEvent is what a batch's webhook is told.
type batchEvent string

// A measure is a number, or a text with a unit.
type measure string

// margins are a length for all sides of a paper, or one for each.
type margins struct{}

func marginSchema() *jsonschema.Schema {
	length := func() *jsonschema.Schema { return &jsonschema.Schema{Types: []string{"string", "number"}} }
	sides := &jsonschema.Schema{
		Type: "object", PropertyOrder: []string{"top", "right", "bottom", "left"},
		Properties: map[string]*jsonschema.Schema{"top": length(), "right": length(), "bottom": length(), "left": length()},
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{length(), sides}}
}
