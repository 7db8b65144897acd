package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/pixels"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
)

// A sketchRequest asks for a picture of a draft or a version that is not kept.
type sketchRequest struct {
	Size      string         `json:"size,omitempty"`
	Theme     string         `json:"theme,omitempty"`
	Page      int            `json:"page,omitempty"` // from 1
	Variables map[string]any `json:"variables"`
	Version   orderVersion   `json:"version,omitempty"` // draft where nothing is said, published or a number
	Against   orderVersion   `json:"against,omitempty"` // published or a number: what it differs from in
	Format    string         `json:"format,omitempty"`  // png where nothing is said, jpeg or webp

	bindings.Language
}

// A sketchView is a picture as the renderer draws it, and where its elements are.
type sketchView struct {
	Revision   int64              `json:"revision"`          // of the draft
	Version    int64              `json:"version,omitempty"` // not of a draft
	Width      int                `json:"width"`
	Height     int                `json:"height"`
	Format     string             `json:"format"`
	RenderMs   float64            `json:"renderMs"`
	Image      string             `json:"image"`          // a data: address
	Boxes      []render.Box       `json:"boxes"`          // of all elements of the body, in the order of the document
	Truncated  bool               `json:"boxesTruncated"` // there are more elements
	Layers     []layerView        `json:"layers"`         // texts that are looked after
	Warnings   []bindings.Warning `json:"warnings"`
	Difference *differenceView    `json:"difference,omitempty"`
}

// A layerView is how a text came out.
type layerView struct {
	Layer   string  `json:"layer"`
	FontPx  float64 `json:"fontPx"`
	Lines   int     `json:"lines"`
	Clipped bool    `json:"clipped"`
	Cut     bool    `json:"cut"`
}

// A differenceView is how two pictures of a row differ.
type differenceView struct {
	Against   int64   `json:"against"` // the version
	SameSize  bool    `json:"sameSize"`
	Agree     bool    `json:"agree"`     // a person sees no difference
	Share     float64 `json:"share"`     // of the pixels that differ
	WorstTile float64 `json:"worstTile"` // the greatest share within a tile of 16 by 16
	WorstX    int     `json:"worstX"`
	WorstY    int     `json:"worstY"`
	Image     string  `json:"image"`           // the other picture; a data: address
	Marks     string  `json:"marks,omitempty"` // white, with what differs in red; none where the sizes differ
}

// maxSketch bounds the body of a sketch: the values of one row.
const maxSketch = batch.MaxRow + 64<<10

// sketchDraft draws a row with the draft, or with a version, and keeps nothing.
func (s *Server) sketchDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	var body sketchRequest
	if err := decodeExact(w, r, maxSketch, &body, `{"size": "story", "variables": {"title": "Hello"}}`); err != nil {
		return err
	}
	order, err := body.order(name)
	if err != nil {
		return err
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	within, leave, err := s.now.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	st, drawn, err := s.sketch(within, order, true)
	if err != nil {
		return s.now.late(within, err)
	}
	if wantsBytes(r.Header.Get("Accept")) && body.Against == "" {
		w.Header().Set("Content-Type", contentTypes[drawn.Ext])
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(drawn.Bytes) // a client that has gone reads nothing
		return nil
	}
	view := viewOfSketch(drawn)
	view.Revision, view.Version, view.Format = d.Revision, st.version, order.Outputs[0].Format
	if body.Against != "" {
		if order.Version, err = versionAsked(body.Against, "", "against"); err != nil {
			return err
		}
		other, theirs, err := s.sketch(within, order, false)
		if err != nil {
			return s.now.late(within, placedAt("against", err))
		}
		if view.Difference, err = differenceOf(drawn, theirs); err != nil {
			return err
		}
		view.Difference.Against = other.version
	}
	return answer(w, http.StatusOK, view)
}

// order is the body as an order of one picture.
func (b sketchRequest) order(name string) (batch.Order, error) {
	format := strings.ToLower(b.Format)
	switch {
	case format == "", format == "png":
		format = "png"
	case b.Against != "":
		return batch.Order{}, problem.New(problem.Invalid, "only PNGs are compared").WithSlug("unknown_format").At("format").WithHint("leave format out")
	case format == "jpg":
		format = "jpeg"
	case format != "jpeg" && format != "webp":
		return batch.Order{}, problem.New(problem.Invalid, "a draft is not drawn as %q", b.Format).WithSlug("unknown_format").At("format").
			WithHint("it is png, jpeg or webp; POST /templates/{id}/render with version: draft makes the others")
	}
	version, err := versionAsked(b.Version, "draft", "version")
	if err != nil {
		return batch.Order{}, err
	}
	values := b.Variables
	if values == nil {
		values = map[string]any{}
	}
	out := batch.Output{Name: "sketch", Size: b.Size, Theme: b.Theme, Page: b.Page, Encoding: bindings.Encoding{Format: format}, Language: b.Language}
	return batch.Order{Template: name, Version: version, Rows: []map[string]any{values}, Outputs: []batch.Output{out}}, nil
}

// versionAsked is v as orders have it, or what stands for nothing.
func versionAsked(v orderVersion, otherwise, at string) (string, error) {
	switch v {
	case "":
		return otherwise, nil
	case "draft":
		return "draft", nil
	case "published":
		return "", nil
	}
	if _, err := numberOf(string(v), at); err != nil {
		return "", problem.New(problem.Invalid, "there is no version %q", string(v)).WithSlug("out_of_range").At(at).
			WithHint("it is published, draft or a number")
	}
	return string(v), nil
}

// UnmarshalJSON takes a version that is written as a number, too.
func (v *orderVersion) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		text = string(data)
	}
	*v = orderVersion(text)
	return nil
}

// sketch plans an order of one picture and draws it.
func (s *Server) sketch(ctx context.Context, o batch.Order, boxes bool) (*sitting, Sketched, error) {
	st, err := s.sit(ctx, o, time.Now())
	if err != nil {
		return nil, Sketched{}, err
	}
	if may := s.spend(ctx); may != nil {
		if err := may(); err != nil {
			return nil, Sketched{}, err
		}
	}
	drawn, err := s.deps.Trials.Sketch(ctx, Sketch{Want: st.wants[0], Boxes: boxes})
	if err != nil {
		return nil, drawn, fmt.Errorf("draw template %q: %w", o.Template, err)
	}
	if drawn.Problem != nil {
		return nil, drawn, problemAsked(*drawn.Problem)
	}
	return st, drawn, nil
}

func viewOfSketch(d Sketched) sketchView {
	v := sketchView{
		Width: d.Width, Height: d.Height, RenderMs: float64(d.Duration.Microseconds()) / 1000, Image: dataAddress(contentTypes[d.Ext], d.Bytes),
		Boxes: list(d.Boxes), Truncated: len(d.Boxes) >= render.MaxBoxes, Layers: []layerView{}, Warnings: list(d.Fitting.Warnings("")),
	}
	for _, l := range d.Layers {
		v.Layers = append(v.Layers, layerView{l.Layer, l.FontPx, l.Lines, l.Clipped, l.Cut})
	}
	return v
}

func dataAddress(kind string, data []byte) string {
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// differenceOf holds a picture against another.
func differenceOf(ours, theirs Sketched) (*differenceView, error) {
	a, err := png.Decode(bytes.NewReader(ours.Bytes))
	if err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	b, err := png.Decode(bytes.NewReader(theirs.Bytes))
	if err != nil {
		return nil, fmt.Errorf("read the other picture: %w", err)
	}
	c := pixels.Compare(a, b)
	v := &differenceView{
		SameSize: c.SameSize, Agree: c.Agree(), Share: c.Share, WorstTile: c.WorstTile, WorstX: c.Worst.X, WorstY: c.Worst.Y,
		Image: dataAddress("image/png", theirs.Bytes),
	}
	if c.Marks != nil {
		var marks bytes.Buffer
		if err := png.Encode(&marks, c.Marks); err != nil {
			return nil, fmt.Errorf("write what differs: %w", err)
		}
		v.Marks = dataAddress("image/png", marks.Bytes())
	}
	return v, nil
}

// decodeExact is decodeBody with numbers as they were written.
func decodeExact(w http.ResponseWriter, r *http.Request, limit int64, value any, like string) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	d.UseNumber()
	d.DisallowUnknownFields()
	err := d.Decode(value)
	if err == nil && d.More() {
		err = errors.New("something follows it")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return smallBodyError(err)
	}
	if err != nil {
		return problem.New(problem.Invalid, "the body is not JSON of the form %s: %w", like, err).WithSlug(slugMalformed)
	}
	return nil
}

// showVersionPicture is the picture of a row by a version of a template, or by its
// draft.
func (s *Server) showVersionPicture(w http.ResponseWriter, r *http.Request) error {
	version := r.PathValue("number")
	if version != "draft" {
		if _, err := numberOf(version, "number"); err != nil {
			return err
		}
	}
	q := r.URL.Query()
	t, err := s.trialOf(r, q.Get("from"))
	if err != nil {
		return err
	}
	row, err := t.choose(r)
	if err != nil {
		return err
	}
	if row.Error != nil {
		return problem.New(problem.Invalid, "the row gives no values: %s", row.Error.Message).WithSlug(row.Error.Code).At(row.Error.Field)
	}
	page, err := intParam(r, "page", 0, 1, 1000)
	if err != nil {
		return err
	}
	asked := sketchRequest{Size: q.Get("size"), Theme: q.Get("theme"), Page: page, Variables: row.Variables, Version: orderVersion(version)}
	order, err := asked.order(t.name)
	if err != nil {
		return err
	}
	st, pictures, err := s.take(r.Context(), order)
	if err != nil {
		return err
	}
	w.Header().Set("X-Row", strconv.Itoa(row.At))
	return s.sendPicture(w, r, st, pictures[0])
}
