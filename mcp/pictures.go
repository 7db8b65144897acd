package mcp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

var pictureTools = []Tool{
	tool(Tool{
		Name: "render_preview", Title: "Look at a template", Effect: Reads,
		Description: words("A picture of a template as the renderer draws it, at most 768 pixels wide or high, with how its texts came out. It is kept nowhere.",
			"Of the draft, or of a version; with variables that are given, or those of a row: from, and key, at or pick. Without either the first row of its usual place, or the examples of its variables.") + untrusted,
		Scopes: []string{"templates:read", "renders:write"}, Routes: []string{"GET /templates/{id}/rows", "POST /templates/{id}/draft/render"},
	}, (*Server).renderPreview),
	tool(Tool{
		Name: "check_template", Title: "Check a template with rows", Effect: Reads,
		Description: words("Draws rows with the draft in every size, keeps no picture, and tells what is wrong with each: texts that are clipped, images that are missing, values that a row lacks.",
			"Rows are given, or come from: samples, binding:NAME, source:NAME or job:ID.") + untrusted,
		Scopes: []string{"templates:read", "renders:write"}, Routes: []string{"POST /templates/{id}/draft/check"},
	}, (*Server).checkTemplate),
}

type renderPreviewIn struct {
	Template  string         `json:"template" jsonschema:"its name"`
	Version   string         `json:"version,omitempty" jsonschema:"draft (where nothing is said), published, or a number"`
	Size      string         `json:"size,omitempty" jsonschema:"of the template's sizes; the first where nothing is said"`
	Theme     string         `json:"theme,omitempty" jsonschema:"of the template's themes; none where nothing is said"`
	Page      int            `json:"page,omitempty" jsonschema:"of a template with several, from 1"`
	Variables map[string]any `json:"variables,omitempty" jsonschema:"the values of the row"`
	From      string         `json:"from,omitempty" jsonschema:"where the row is: samples, binding:NAME, source:NAME or job:ID"`
	Key       string         `json:"key,omitempty" jsonschema:"the row's key"`
	At        int            `json:"at,omitempty" jsonschema:"the row's place, from 0"`
	Pick      string         `json:"pick,omitempty" jsonschema:"instead of key or at: first, last, random, emptiest, longest:VARIABLE, shortest:VARIABLE or empty:VARIABLE"`
	MaxPixels int            `json:"max_pixels,omitempty" jsonschema:"the longer side of the picture at most, from 64 to 1568; 768 where nothing is said"`
	Boxes     bool           `json:"boxes,omitempty" jsonschema:"where each element is, in CSS pixels"`
}

type previewView struct {
	Template  string         `json:"template"`
	Revision  int64          `json:"revision" jsonschema:"of the draft"`
	Version   int64          `json:"version,omitempty" jsonschema:"not of a draft"`
	Width     int            `json:"width" jsonschema:"of the picture as it is made"`
	Height    int            `json:"height"`
	Shown     string         `json:"shown" jsonschema:"the width and height of the picture here"`
	Row       string         `json:"row,omitempty" jsonschema:"the key of the row"`
	Variables map[string]any `json:"variables"`
	Layers    []fit          `json:"layers" jsonschema:"how texts came out"`
	Warnings  []warning      `json:"warnings"`
	Boxes     []box          `json:"boxes,omitempty"`
	MoreBoxes bool           `json:"moreBoxes,omitempty"`
}

type fit struct {
	Layer   string  `json:"layer"`
	FontPx  float64 `json:"fontPx"`
	Lines   int     `json:"lines"`
	Clipped bool    `json:"clipped" jsonschema:"a part of the text is not seen"`
	Cut     bool    `json:"cut,omitempty" jsonschema:"it ends with …"`
}

type warning struct {
	Code    string `json:"code"`
	Output  string `json:"output,omitempty"`
	Layer   string `json:"layer,omitempty"`
	Message string `json:"message"`
}

type box struct {
	ID     string  `json:"id,omitempty"`
	Tag    string  `json:"tag"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

const shownBoxes = 150

func (s *Server) renderPreview(ctx context.Context, _ *sdk.CallToolRequest, in renderPreviewIn) (v previewView, content []sdk.Content, err error) {
	v = previewView{Template: in.Template, Variables: in.Variables}
	if v.Variables != nil && (in.From != "" || in.Key != "" || in.Pick != "") {
		return v, nil, problem.New(problem.Invalid, "the row is given, or taken from a place, not both").At("variables").WithHint("leave one of them out")
	}
	if v.Variables == nil {
		if v.Row, v.Variables, err = s.trialRow(ctx, in); err != nil {
			return v, nil, err
		}
	}
	body := map[string]any{"variables": v.Variables}
	for name, value := range map[string]string{"size": in.Size, "theme": in.Theme, "version": in.Version} {
		if value != "" {
			body[name] = value
		}
	}
	if in.Page != 0 {
		body["page"] = in.Page
	}
	var sketch struct {
		Revision  int64     `json:"revision"`
		Version   int64     `json:"version"`
		Width     int       `json:"width"`
		Height    int       `json:"height"`
		Image     string    `json:"image"`
		Boxes     []box     `json:"boxes"`
		Truncated bool      `json:"boxesTruncated"`
		Layers    []fit     `json:"layers"`
		Warnings  []warning `json:"warnings"`
	}
	if err := s.ask(ctx, send(body, "templates", in.Template, "draft", "render"), &sketch); err != nil {
		return v, nil, err
	}
	v.Revision, v.Version, v.Width, v.Height = sketch.Revision, sketch.Version, sketch.Width, sketch.Height
	v.Layers, v.Warnings = sketch.Layers, sketch.Warnings
	if in.Boxes {
		v.Boxes, v.MoreBoxes = sketch.Boxes[:min(len(sketch.Boxes), shownBoxes)], sketch.Truncated || len(sketch.Boxes) > shownBoxes
	}
	_, coded, ok := strings.Cut(sketch.Image, ";base64,")
	data, err := base64.StdEncoding.DecodeString(coded)
	if err != nil || !ok {
		return v, nil, problem.New(problem.Upstream, "the answer has no picture")
	}
	if content, v.Shown, err = show(data, in.MaxPixels); err != nil {
		return v, nil, err
	}
	v.Variables, _ = clipValue(v.Variables, shownText).(map[string]any)
	return v, content, nil
}

// trialRow is the row that a preview is of: its key and what it gives to the template.
func (s *Server) trialRow(ctx context.Context, in renderPreviewIn) (string, map[string]any, error) {
	var row struct {
		Key       string         `json:"key"`
		Variables map[string]any `json:"variables"`
		Error     *fault         `json:"error"`
	}
	o := read("templates", in.Template, "rows").with("from", in.From).with("key", in.Key).with("at", in.At).with("pick", in.Pick)
	if err := s.ask(ctx, o, &row); err != nil {
		return "", nil, err
	}
	if row.Error != nil {
		return "", nil, &refusal{Code: row.Error.Code, Detail: "the row gives no values: " + row.Error.Message, Hint: row.Error.Hint}
	}
	if row.Variables == nil {
		row.Variables = map[string]any{}
	}
	return row.Key, row.Variables, nil
}

type checkTemplateIn struct {
	Template string           `json:"template" jsonschema:"its name"`
	From     string           `json:"from,omitempty" jsonschema:"samples, binding:NAME, source:NAME or job:ID"`
	Rows     []map[string]any `json:"rows,omitempty" jsonschema:"instead of from: the rows themselves"`
	Sizes    []string         `json:"sizes,omitempty" jsonschema:"all of the template where none is named"`
	Theme    string           `json:"theme,omitempty" jsonschema:"none where nothing is said"`
	Limit    int              `json:"limit,omitempty" jsonschema:"rows at most, up to 2000; 200 where nothing is said"`
}

type checkView struct {
	Revision  int64          `json:"revision" jsonschema:"of the draft"`
	From      string         `json:"from"`
	Checked   int            `json:"checked" jsonschema:"rows"`
	Total     int            `json:"total" jsonschema:"rows that there are"`
	Pictures  int            `json:"pictures" jsonschema:"different ones"`
	Counts    checkCounts    `json:"counts"`
	Complete  bool           `json:"complete" jsonschema:"all rows were checked"`
	Findings  []checkFinding `json:"findings" jsonschema:"the first of them"`
	Truncated bool           `json:"truncated" jsonschema:"there are more findings: mend these and check again"`
}

type checkCounts struct {
	OK            int `json:"ok"`
	Errors        int `json:"errors"`
	Clipped       int `json:"clipped"`
	MissingImages int `json:"missingImages"`
	Fallback      int `json:"fallback"`
	Glyphs        int `json:"glyphs"`
	Ignored       int `json:"ignored"`
	Skipped       int `json:"skipped"`
}

type checkFinding struct {
	At      int    `json:"at" jsonschema:"the row's place, from 0"`
	Key     string `json:"key,omitempty"`
	Size    string `json:"size,omitempty"`
	Code    string `json:"code"`
	Level   string `json:"level" jsonschema:"error: there is no picture; or warning"`
	Layer   string `json:"layer,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

const (
	checkedRows   = 200
	mostChecked   = 2000
	shownFindings = 50
)

// checkTemplate follows a check, so that whoever waits sees how far it is, and it ends
// with the call.
func (s *Server) checkTemplate(ctx context.Context, req *sdk.CallToolRequest, in checkTemplateIn) (v checkView, _ []sdk.Content, err error) {
	switch {
	case in.Limit == 0:
		in.Limit = checkedRows
	case in.Limit > mostChecked:
		in.Limit = mostChecked
	}
	body := map[string]any{"limit": in.Limit}
	if in.Rows != nil {
		body["rows"] = in.Rows
	}
	for name, value := range map[string]string{"from": in.From, "theme": in.Theme} {
		if value != "" {
			body[name] = value
		}
	}
	if len(in.Sizes) > 0 {
		body["sizes"] = in.Sizes
	}
	told := progressOf(req)
	ended := false
	err = s.follow(ctx, send(body, "templates", in.Template, "draft", "check"), func(event string, data []byte) (bool, error) {
		switch event {
		case "progress":
			if err := json.Unmarshal(data, &v); err != nil {
				return true, err
			}
			told.tell(ctx, float64(v.Checked), float64(min(v.Total, in.Limit)), "rows checked")
		case "done":
			ended = true
			return true, json.Unmarshal(data, &v)
		case "failed":
			r := &refusal{}
			if err := json.Unmarshal(data, r); err != nil {
				return true, err
			}
			return true, r
		}
		return false, nil
	})
	if err == nil && !ended {
		err = problem.New(problem.Upstream, "the check broke off after %d rows", v.Checked).WithHint("begin it again")
	}
	if len(v.Findings) > shownFindings {
		v.Findings, v.Truncated = v.Findings[:shownFindings], true
	}
	return v, nil, err
}
