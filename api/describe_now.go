package api

import "encoding/json"

// The requests here are for the document alone, as those of batches:
// batch.DecodeOrder reads them.

var nowOperations = operations{
	"POST /templates/{id}/render": {
		id: "renderTemplate", tag: tagNow, summary: "The pictures of one row, now",
		detail: "One for each of `layouts` or `outputs`, else one. A picture that is there is not made again: `cached` says so. " +
			"Pictures that cannot be made are in `errors`; when all of them are, the answer is a problem. " + nowDetail,
		headers: []string{"IdempotencyKey"},
		body: takes(of[renderRequest](), map[string]any{
			"One picture":  json.RawMessage(`{"variables":{"recipient_name":"Ada Lovelace","course_name":"Analytical engines"},"format":"jpeg","quality":0.9}`),
			"Of the draft": json.RawMessage(`{"variables":{"recipient_name":"Ada Lovelace"},"version":"draft"}`),
		}),
		answers: answers{200: picturesOf(sends("", of[envelopeView]()))},
	},
	"GET /templates/{id}/render": {
		id: "renderTemplateByQuery", tag: tagNow, summary: "The picture of a row that stands in the address",
		detail: "Variables stand in the query by their names, or all of them in `v`. " + addressDetail,
		query:  addressParams, headers: []string{"IfNoneMatchETag", "Range"},
		scope: RendersWrite, signed: true,
		answers: answers{200: imageBytes, 206: imageBytes, 304: {about: "You have it."}},
	},
	"GET /i/{file}": {
		id: "renderSigned", tag: tagNow, summary: "The picture that a signed address describes",
		detail: "Variables stand in the query by their names, or all of them in `v`. The path and the query before `&sig=` are signed as they are sent; " +
			"`POST /templates/{id}/sign` signs, and so can your own server. " + addressDetail,
		query: addressParams, headers: []string{"IfNoneMatchETag", "Range"},
		public: true, signed: true,
		answers: answers{200: imageBytes, 206: imageBytes, 304: {about: "You have it."}},
	},
	"POST /templates/{id}/sign": {
		id: "signAddress", tag: tagNow, summary: "An address under which anybody may have a picture",
		detail:  "The picture is made when the address is asked for. The row is checked here.",
		body:    takes(of[signRequest](), map[string]any{"For an hour": json.RawMessage(`{"variables":{"recipient_name":"Ada Lovelace"},"expiresIn":3600}`)}),
		answers: answers{200: sends("", of[addressView]())},
	},
	"POST /image": {
		id: "renderImage", tag: tagNow, summary: "A picture of HTML or of a template, now",
		detail:  "HTML is rendered as a template is: without scripts, with its pictures fetched by pictifyd. Foreign pages (`url`) are not rendered. " + nowDetail,
		headers: []string{"IdempotencyKey"},
		body: takes(of[imageRequest](), map[string]any{
			"HTML": json.RawMessage(`{"html":"<h1 style=\"font: 64px sans-serif\">{{ title }}</h1>","variables":{"title":"Hello"},"width":1200,"height":630}`),
		}),
		answers: answers{200: picturesOf(sends("", of[pictureView]()))},
	},
	"POST /gif": {
		id: "renderGIF", tag: tagNow, summary: "A moving picture of CSS animations, now",
		detail:  nowDetail,
		headers: []string{"IdempotencyKey"},
		body: takes(of[gifRequest](), map[string]any{
			"HTML": json.RawMessage(`{"html":"<style>@keyframes k{to{opacity:0}} p{animation:k 1s}</style><p>Hi</p>","width":200,"height":100,"quality":"low"}`),
		}),
		answers: answers{200: picturesOf(sends("", of[gifAnswer]()))},
	},
	"POST /pdf/render": {
		id: "renderPDF", tag: tagNow, summary: "A PDF of HTML or of a template, now",
		detail:  nowDetail,
		headers: []string{"IdempotencyKey"},
		body:    takes(of[pdfRequest](), map[string]any{"On A4": json.RawMessage(`{"html":"<h1>Invoice</h1>","preset":"a4","margins":{"top":40}}`)}),
		answers: answers{200: picturesOf(sends("", of[pdfView]()))},
	},
	"POST /pdf/multi-page": {
		id: "renderPages", tag: tagNow, summary: "One PDF with the pages of several rows, now",
		detail:  "Up to 100 rows; a batch makes one PDF of any number. " + nowDetail,
		headers: []string{"IdempotencyKey"},
		body: takes(of[pagesRequest](), map[string]any{
			"Two pages": json.RawMessage(`{"html":"<h1>{{ name }}</h1>","preset":"a5","variableSets":[{"name":"Ada"},{"name":"Grace"}]}`),
		}),
		answers: answers{200: picturesOf(sends("", of[pdfView]()))},
	},
	"GET /pdf/presets": {
		id: "listPresets", tag: tagNow, summary: "The papers of a PDF",
		answers: answers{200: sends("", only[[]presetView]("presets"))},
	},
}

const (
	nowDetail = "With `response: binary`, or an `Accept` of pictures, the answer is the file; `Content-Location` is its address. " +
		"With too many requests in work it is a 503 `too_busy` with `Retry-After`."
	addressDetail = "Whose address is signed may have so many new pictures made in a minute; more are a 429 `render_rate`."
)

// picturesOf is r, or the file itself.
func picturesOf(r reply) reply {
	for kind, shape := range imageBytes.kinds {
		r.kinds[kind] = shape
	}
	return r.with("Content-Location", "The address of the picture, where the answer is the file.")
}

var addressParams = []queryParam{
	{paramValues, "The variables, as base64url of a JSON object.", anyText()},
	{"size", "Of the template's sizes.", anyText()},
	{"theme", "Of the template's themes.", anyText()},
	{"version", "`published`, `draft` or a number.", anyText()},
	{"quality", "Of JPEG and WebP.", anyText()},
	{"scale", "Pixels per CSS pixel, from 1 to 3.", anyText()},
	{"locale", "As de-DE.", anyText()},
	{"timezone", "As Europe/Berlin.", anyText()},
	{"currency", "As EUR.", anyText()},
	{paramExpires, "Until when the address is good, in seconds since 1970.", anyText()},
	{paramKey, "The id of the key in `server.url_keys` that signed.", anyText()},
}

// An orderRequest is what all requests for pictures may say.
type orderRequest struct {
	Variables map[string]any  `json:"variables,omitempty"` // the values of the picture
	Size      string          `json:"size,omitempty"`      // of the template's sizes
	Layout    string          `json:"layout,omitempty"`    // another name of size
	Theme     string          `json:"theme,omitempty"`     // of the template's themes
	Width     int             `json:"width,omitempty"`     // in CSS pixels, to 4000; of a template those of one of its sizes
	Height    int             `json:"height,omitempty"`    // in CSS pixels, to 4000
	Version   orderVersion    `json:"version,omitempty"`   // of the template: published, draft, or a number
	Strict    bool            `json:"strict,omitempty"`    // a picture with warnings is an error
	Response  string          `json:"response,omitempty"`  // url, binary or base64
	FileName  string          `json:"fileName,omitempty"`  // that a binary answer is saved as
	Metadata  json.RawMessage `json:"metadata,omitempty"`  // comes back in the answer; at most 64 KiB

	encodingRequest
	languageRequest
}

// An orderVersion is a word or a number.
type orderVersion string

// A renderRequest asks for the pictures of one row of a template.
type renderRequest struct {
	orderRequest
	Sizes   []string        `json:"sizes,omitempty"`   // one picture of each, at most 20
	Layouts []string        `json:"layouts,omitempty"` // another name of sizes
	Outputs []outputRequest `json:"outputs,omitempty"` // pictures that differ in more than the size
}

// A subjectRequest says what is drawn: one of its fields is given.
type subjectRequest struct {
	HTML        string `json:"html,omitempty"`        // a document, at most 1 MiB; {{ }} in it are expressions over variables
	Template    string `json:"template,omitempty"`    // its name
	TemplateID  string `json:"templateId,omitempty"`  // another name of template
	TemplateUID string `json:"templateUid,omitempty"` // another name of template
}

// An imageRequest asks for one picture.
type imageRequest struct {
	subjectRequest
	orderRequest
}

// A gifRequest asks for a moving picture. Its sides are at most 2000 pixels.
type gifRequest struct {
	subjectRequest
	orderRequest
	Quality gifQuality `json:"quality,omitempty"` // low, medium, high: 10, 15 or 24 frames a second
}

// A gifQuality is a word for frames a second.
type gifQuality string

// A pdfRequest asks for a PDF.
type pdfRequest struct {
	subjectRequest
	orderRequest
	CustomSize      *paperSize `json:"customSize,omitempty"`      // of html without a paper, in CSS pixels
	PrintBackground bool       `json:"printBackground,omitempty"` // always so
}

// A pagesRequest asks for one PDF of several rows.
type pagesRequest struct {
	pdfRequest
	Variables    []map[string]any `json:"variables,omitempty"`    // one row a page, or the pages of the template
	VariableSets []map[string]any `json:"variableSets,omitempty"` // another name of variables
}

// A signRequest says what a signed address shall show.
type signRequest struct {
	Variables map[string]any `json:"variables,omitempty"` // the values of the picture
	Size      string         `json:"size,omitempty"`      // of the template's sizes
	Layout    string         `json:"layout,omitempty"`    // another name of size
	Theme     string         `json:"theme,omitempty"`     // of the template's themes
	Width     int            `json:"width,omitempty"`     // of one of the template's sizes
	Height    int            `json:"height,omitempty"`    // of one of the template's sizes
	Version   orderVersion   `json:"version,omitempty"`   // of the template: published, draft, or a number
	ExpiresIn float64        `json:"expiresIn,omitempty"` // seconds; without it the address has no end

	Format            imageFormat `json:"format,omitempty"`            // png, where nothing is said
	FileExtension     imageFormat `json:"fileExtension,omitempty"`     // another name of format
	Quality           float64     `json:"quality,omitempty"`           // of JPEG and WebP: up to 1 a fraction, above it percent
	Scale             float64     `json:"scale,omitempty"`             // pixels per CSS pixel, from 1 to 3
	DeviceScaleFactor float64     `json:"deviceScaleFactor,omitempty"` // another name of scale
	Transparent       bool        `json:"transparent,omitempty"`       // what the page does not paint stays clear
	Compression       string      `json:"compression,omitempty"`       // of a PNG: fast, small or palette
	FPS               int         `json:"fps,omitempty"`               // frames a second, from 1 to 50
	Duration          measure     `json:"duration,omitempty"`          // of one round: seconds, or a text as 2s
	Loops             int         `json:"loops,omitempty"`             // rounds; 0 is for ever
	Paper             string      `json:"paper,omitempty"`             // of a PDF: a4, letter and others
	Landscape         bool        `json:"landscape,omitempty"`         // the paper lies on its side

	languageRequest
}
