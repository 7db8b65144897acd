package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The limits of one order.
const (
	MaxOrder        = 8 << 20 // bytes of its body
	MaxOrderOutputs = 20
	MaxOrderRows    = 100
	MaxOrderSide    = 4000 // CSS pixels
	MaxOrderHTML    = 1 << 20
	MaxMovingSide   = 2000 // of a GIF
)

// An OrderKind says which fields an order may have.
type OrderKind int

// The kinds of orders.
const (
	RenderOrder OrderKind = iota // of a template that the path names
	ImageOrder
	GIFOrder
	PDFOrder
	PagesOrder // several rows, one PDF
)

// The responses of an order: how its picture is answered.
const (
	AnswerURL    = "url"
	AnswerBinary = "binary"
	AnswerBase64 = "base64"
)

// An Order is what a caller asks for who waits for the pictures: those of one
// row, or, of a PagesOrder, one file with the pages of all rows.
type Order struct {
	HTML          string // the document; "" where a template is named
	Template      string
	Version       string // of the template: "" or "published", "draft", or a number
	Width, Height int    // 0 is not given
	Rows          []map[string]any
	Outputs       []Output // with every default written out

	Strict   bool // a picture with warnings is an error
	Response string
	FileName string
	Metadata json.RawMessage // nil when there was none

	given map[string]string
}

// Given is how the field of that meaning was spelled; "" where it was not given.
func (o Order) Given(meaning string) string { return o.given[meaning] }

// orderField are the fields of all orders.
var orderField = with(encodingField, map[string]string{
	"variables": "variables",
	"size":      "size", "layout": "size",
	"theme":  "theme",
	"locale": "locale", "timezone": "timezone", "currency": "currency",
	"width": "width", "height": "height",
	"version": "version", "strict": "strict", "response": "response", "fileName": "fileName", "metadata": "metadata",
})

// sourceField are those of orders that name in their body what is drawn.
var sourceField = map[string]string{
	"html": "html", "template": "template", "templateId": "template", "templateUid": "template",
}

// pageField is what browsers of foreign pages are told, which draw none here.
var pageField = map[string]string{
	"url": "url", "selector": "selector", "fullPage": "fullPage", "waitForSelector": "waitForSelector",
	"waitForTimeout": "waitForTimeout", "userAgent": "userAgent", "cookies": "cookies", "headers": "headers",
}

// orderFields are the fields of each kind.
var orderFields = map[OrderKind]map[string]string{
	RenderOrder: with(orderField, map[string]string{"sizes": "sizes", "layouts": "sizes", "outputs": "outputs"}),
	ImageOrder:  with(with(orderField, sourceField), pageField),
	GIFOrder:    with(with(orderField, sourceField), pageField),
	PDFOrder:    with(with(orderField, sourceField), printField),
	PagesOrder:  with(with(with(orderField, sourceField), printField), map[string]string{"variableSets": "variables"}),
}

var printField = map[string]string{"url": "url", "customSize": "customSize", "printBackground": "printBackground"}

// refusals are why a field of other products is not taken, unless its value asks
// for nothing.
var refusals = map[string]string{
	"url":             "foreign pages need scripts and free egress, and pictifyd renders with neither",
	"selector":        "a part of a page cannot be cut out",
	"fullPage":        "a picture has the size that is asked for, whatever the page holds",
	"waitForSelector": "no script runs, so that nothing in the page appears later; fonts and images are always waited for",
	"waitForTimeout":  "no script runs, so that nothing in the page appears later; fonts and images are always waited for",
	"userAgent":       "no page is loaded from elsewhere",
	"cookies":         "no page is loaded from elsewhere",
	"headers":         "no page is loaded from elsewhere",
	"printBackground": "backgrounds are always printed",
}

var refusalHints = map[string]string{
	"url":      "send the page as html, with its values as variables, or make it a template",
	"selector": "send html that holds that part alone, and give its width and height",
	"fullPage": "give width and height",
}

// asksForNothing reports whether a field's value leaves it as it is anyway.
func asksForNothing(meaning string, value json.RawMessage) bool {
	text := string(bytes.TrimSpace(value))
	if meaning == "printBackground" {
		return text == "true"
	}
	return slices.Contains([]string{"null", "false", "0", `""`, "[]", "{}"}, text)
}

// DecodeOrder reads an order of a kind. The error is a problem.List with
// everything that is wrong with it.
func DecodeOrder(body []byte, kind OrderKind) (Order, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil || raw == nil {
		p := problem.New(problem.Invalid, "the body must be a JSON object").WithSlug("bad_json").WithHint(`as in {"variables": {"title": "Hello"}}`)
		if err != nil {
			p.Message = fmt.Sprintf("the body is not a JSON object: %v", err)
		}
		return Order{}, p
	}
	d := orderDecoder{kind: kind, fields: fields{given: map[string]string{}, encoding: encodingFields{}}}
	for _, name := range sortedKeys(raw) {
		d.field(name, raw[name])
	}
	return d.order()
}

// An orderDecoder is one call of DecodeOrder.
type orderDecoder struct {
	kind     OrderKind
	fields   fields
	result   Order
	rows     []json.RawMessage
	problems problem.List
}

func (d *orderDecoder) note(p *problem.Error) { d.problems = append(d.problems, p) }

func (d *orderDecoder) field(name string, value json.RawMessage) {
	known := orderFields[d.kind]
	meaning, ok := known[name]
	switch before, twice := d.fields.given[meaning]; {
	case !ok:
		d.note(unknownField(name, known).At(name))
	case isNull(value):
	case twice:
		d.note(givenTwice(before, name).At(name))
	default:
		d.fields.given[meaning] = name
		d.problems = append(d.problems, d.set(meaning, name, value)...)
	}
}

// set takes the field of that meaning.
func (d *orderDecoder) set(meaning, name string, value json.RawMessage) problem.List {
	o := &d.result
	switch meaning {
	case "variables":
		return d.setRows(name, value)
	case "html":
		return text(name, value, &o.HTML)
	case "template":
		return text(name, value, &o.Template)
	case "version":
		return d.setVersion(name, value)
	case "width":
		return d.setSide(name, value, &o.Width)
	case "height":
		return d.setSide(name, value, &o.Height)
	case "customSize":
		return d.setCustomSize(name, value)
	case "strict":
		return yes(name, value, &o.Strict)
	case "response":
		return d.setResponse(name, value)
	case "fileName":
		return text(name, value, &o.FileName)
	case "quality":
		if d.kind == GIFOrder && value[0] == '"' {
			return d.setMotion(name, value)
		}
	case "paper":
		if strings.EqualFold(wording(value), "custom") {
			return nil
		}
	}
	if reason, refused := refusals[meaning]; refused {
		if asksForNothing(meaning, value) {
			return nil
		}
		return problem.List{problem.New(problem.Invalid, "%s is not supported: %s", name, reason).WithSlug("not_supported").
			At(name).WithHint("%s", refusalHints[meaning])}
	}
	return d.fields.set(name, value)
}

func (d *orderDecoder) setRows(name string, value json.RawMessage) problem.List {
	if d.kind != PagesOrder {
		if value[0] == '[' {
			return problem.List{wants(name, "an object of variables").WithHint("many rows at once are POST /templates/{id}/batch-render, or /pdf/multi-page for one file of all")}
		}
		d.rows = []json.RawMessage{value}
		return nil
	}
	if json.Unmarshal(value, &d.rows) != nil {
		return problem.List{wants(name, "a list of objects, one a page")}
	}
	if n := len(d.rows); n < 1 || n > MaxOrderRows {
		return problem.List{problem.New(problem.Invalid, "%d rows are not between 1 and %d", n, MaxOrderRows).At(name).WithSlug("out_of_range").
			WithHint("a batch makes one PDF of any number: GET /jobs/{id}/results.pdf")}
	}
	return nil
}

// setVersion reads a word, or a number with or without quotes.
func (d *orderDecoder) setVersion(name string, value json.RawMessage) problem.List {
	d.result.Version = wording(value)
	switch n, err := strconv.ParseInt(d.result.Version, 10, 64); {
	case d.result.Version == "published" || d.result.Version == "draft":
	case err != nil || n < 1:
		return problem.List{problem.New(problem.Invalid, "there is no version %q", d.result.Version).At(name).
			WithHint("give published, draft, or a number")}
	}
	return nil
}

func (d *orderDecoder) setSide(name string, value json.RawMessage, into *int) problem.List {
	if problems := whole(name, value, into); problems != nil {
		return problems
	}
	return d.checkSide(name, *into)
}

func (d *orderDecoder) checkSide(path string, side int) problem.List {
	limit := MaxOrderSide
	if d.kind == GIFOrder {
		limit = MaxMovingSide
	}
	if side >= 1 && side <= limit {
		return nil
	}
	return problem.List{problem.New(problem.Invalid, "%d is not between 1 and %d pixels", side, limit).At(path).WithSlug("out_of_range")}
}

// setCustomSize reads the size of a page that is on no paper.
func (d *orderDecoder) setCustomSize(name string, value json.RawMessage) problem.List {
	var sides map[string]json.RawMessage
	if json.Unmarshal(value, &sides) != nil {
		return problem.List{wants(name, "width and height in pixels")}
	}
	var problems problem.List
	for _, side := range sortedKeys(sides) {
		into, ok := map[string]*int{"width": &d.result.Width, "height": &d.result.Height}[side]
		if !ok {
			problems = append(problems, problem.New(problem.Invalid, "a size has no %q", side).At(name+"."+side).WithHint("it has width and height, in pixels"))
			continue
		}
		problems = append(problems, d.setSide(name+"."+side, sides[side], into)...)
	}
	return problems
}

func (d *orderDecoder) setResponse(name string, value json.RawMessage) problem.List {
	if problems := text(name, value, &d.result.Response); problems != nil {
		return problems
	}
	if !slices.Contains([]string{AnswerURL, AnswerBinary, AnswerBase64}, d.result.Response) {
		return problem.List{problem.New(problem.Invalid, "there is no response %q", d.result.Response).At(name).
			WithHint("it is %s, %s or %s", AnswerURL, AnswerBinary, AnswerBase64)}
	}
	return nil
}

// motions are the qualities of moving pictures, in frames a second.
var motions = map[string]string{"low": "10", "medium": "15", "high": "24"}

func (d *orderDecoder) setMotion(name string, value json.RawMessage) problem.List {
	fps, ok := motions[wording(value)]
	if !ok {
		return problem.List{problem.New(problem.Invalid, "there is no quality %s of a moving picture", value).At(name).
			WithHint("it is low, medium or high; or give fps and duration")}
	}
	if _, own := d.fields.encoding["fps"]; !own { // fields come by name, and fps is before quality
		d.fields.encoding["fps"] = json.RawMessage(fps)
	}
	return nil
}

// order is what was asked for, once every field was read.
func (d *orderDecoder) order() (Order, error) {
	o := &d.result
	d.source()
	d.readRows()
	d.format()
	outputs, err := d.fields.resolve()
	if err != nil && len(d.problems) == 0 {
		d.problems = append(d.problems, problem.All(err)...)
	}
	if len(outputs) > MaxOrderOutputs {
		d.note(problem.New(problem.TooLarge, "%d pictures are more than the %d of one request", len(outputs), MaxOrderOutputs).
			At(or(d.fields.given["outputs"], d.fields.given["sizes"])).WithHint("send a batch"))
	}
	o.Response = or(o.Response, AnswerURL)
	if o.Response == AnswerBinary && len(outputs) > 1 {
		d.note(problem.New(problem.Invalid, "%d pictures cannot be one binary answer", len(outputs)).At(d.fields.given["response"]).
			WithHint("ask for one of them, or for response: base64"))
	}
	if err := d.problems.Err(); err != nil {
		return Order{}, err
	}
	o.Outputs, o.Metadata, o.given = outputs, d.fields.metadata, d.fields.given
	return *o, nil
}

// source checks that there is one thing to draw.
func (d *orderDecoder) source() {
	if d.kind == RenderOrder || d.given("url") {
		return
	}
	switch html, named := d.given("html"), d.given("template"); {
	case html && named:
		d.note(problem.New(problem.Invalid, "html and %s are both given", d.fields.given["template"]).At("html").WithHint("give one of them"))
	case !html && !named:
		d.note(problem.New(problem.Invalid, "there is nothing to draw").At("html").WithSlug("required").WithHint("give html, or the name of a template"))
	case html && d.given("version"):
		d.note(problem.New(problem.Invalid, "html has no versions").At(d.fields.given["version"]))
	case len(d.result.HTML) > MaxOrderHTML:
		d.note(problem.New(problem.TooLarge, "the document has %d bytes, and at most %d are taken", len(d.result.HTML), MaxOrderHTML).At("html").
			WithHint("name pictures by their address instead of writing them into it, or make it a template"))
	case html && strings.TrimSpace(d.result.HTML) == "":
		d.note(problem.New(problem.Invalid, "the document is empty").At("html").WithSlug("required"))
	}
}

func (d *orderDecoder) given(meaning string) bool { return d.fields.given[meaning] != "" }

func (d *orderDecoder) readRows() {
	if len(d.rows) == 0 && d.kind != PagesOrder {
		d.rows = []json.RawMessage{json.RawMessage("{}")}
	}
	if !d.given("variables") && d.kind == PagesOrder {
		d.note(problem.New(problem.Invalid, "there are no rows").At("variableSets").WithSlug("required").WithHint("give a list of objects, one a page"))
	}
	for i, raw := range d.rows {
		at := d.fields.given["variables"]
		if d.kind == PagesOrder {
			at = fmt.Sprintf("%s[%d]", at, i)
		}
		values, err := decodeValues(raw)
		switch {
		case raw[0] != '{' || err != nil:
			d.note(wants(at, "an object of variables"))
		case len(raw) > MaxRow:
			d.note(problem.New(problem.TooLarge, "the row has %d bytes, and at most %d are taken", len(raw), MaxRow).At(at))
		}
		d.result.Rows = append(d.result.Rows, values)
	}
}

// format writes in the format of orders that have but one.
func (d *orderDecoder) format() {
	only := map[OrderKind]string{GIFOrder: "gif", PDFOrder: "pdf", PagesOrder: "pdf"}[d.kind]
	if only == "" {
		return
	}
	if asked, ok := d.fields.encoding["format"]; ok && wording(asked) != only {
		d.note(problem.New(problem.Invalid, "this makes %s, not %s", strings.ToUpper(only), wording(asked)).At(d.fields.given["format"]).
			WithHint("pictures are made by POST /image"))
	}
	d.fields.encoding = maps.Clone(d.fields.encoding)
	d.fields.encoding["format"] = json.RawMessage(`"` + only + `"`)
	if only == "gif" {
		delete(d.fields.encoding, "quality") // a GIF has none but its frames
	}
}

// OutputsOf are the outputs of o as planning takes them.
func (o Order) OutputsOf() []bindings.Output {
	outs := make([]bindings.Output, len(o.Outputs))
	for i, out := range o.Outputs {
		outs[i] = bindings.Output(out)
	}
	return outs
}
