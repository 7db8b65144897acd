package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// A RowHistory is all that there is about a row of a binding.
type RowHistory struct {
	Row        *bindings.StoredRow // nil: it is gone
	State      string              // waiting, ready, failed, removed; "" when it never had an image
	Generation int64
	Problem    *bindings.Problem
	Assigned   bindings.Assigned // as which variant of an experiment it is drawn
	Images     []bindings.Image
	Deliveries []sink.Record // newest first

	Source    string
	Position  string               // where the source was read to; "" where it says nothing that a person can read
	Freshness connectors.Freshness // of the source
	AskedAt   time.Time            // the source was asked for this row alone, since the start
	Renders   []RowRender
	Paused    string // why its binding is, where no person has paused it
	Trace     string // id of the trace of this generation; "" where it is not traced
}

// Why there is another picture than before.
const (
	ByRow      = "row"      // it has other values
	ByTemplate = "template" // it has another version
	ByOptions  = "options"  // other options of the output, or another epoch
)

// A RowRender is the work that one output of a row waits for, or came from.
type RowRender struct {
	Output      string
	Fingerprint string
	Template    string
	Version     int64  // of the template
	State       string // waiting, resting, claimed, done, failed
	Attempts    int64
	Bytes       int64
	Duration    time.Duration
	Lane        string // the way that it took in the engine
	Redrawn     string // ByRow, ByTemplate, ByOptions; "" where nothing is known of the picture before
	Texts       []TextChange

	WantedAt, EndedAt time.Time
}

// A TextChange is a text on a picture that was another one before.
type TextChange struct {
	Variable string `json:"variable,omitempty"` // behind it; several joined by commas
	Before   string `json:"before"`
	After    string `json:"after"`
}

// A historyView is a row as it is stored, as it is drawn, and who was told.
type historyView struct {
	Key        string            `json:"key"`
	Name       string            `json:"name"`
	Gone       bool              `json:"gone"` // the source has no such row any more
	Missing    bool              `json:"missing"`
	Version    int64             `json:"version,omitempty"`
	Values     json.RawMessage   `json:"values,omitempty"`
	State      string            `json:"state"`
	Generation int64             `json:"generation"`
	Trace      string            `json:"traceId,omitempty"` // of the generation, in the collector; none where it is not traced
	Problem    *bindings.Problem `json:"problem,omitempty"`
	Variant    *rowVariantView   `json:"variant,omitempty"` // of the experiment of its binding
	Images     []rowImageView    `json:"images"`
	Deliveries []deliveryView    `json:"deliveries"`

	Source rowSourceView `json:"source"`
	Paused string        `json:"pausedReason,omitempty"` // why its binding is, where no person has paused it
}

// A rowVariantView is as which variant of an experiment a row is drawn, and for whom.
type rowVariantView struct {
	Experiment string `json:"experiment"` // its id
	Unit       string `json:"unit"`
	ID         string `json:"id"`
}

// A rowSourceView is where a row comes from.
type rowSourceView struct {
	Name        string     `json:"name"`
	State       string     `json:"state,omitempty"` // ok, warn, error, paused
	Cause       string     `json:"cause,omitempty"`
	Position    string     `json:"position,omitempty"` // where it was read to, as the connector notes it
	ReadAt      *time.Time `json:"readAt"`             // when its last reading ended
	ConfirmedAt *time.Time `json:"confirmedAt"`
	AskedAt     *time.Time `json:"askedAt,omitempty"` // for this row alone
	NextAt      *time.Time `json:"nextAt"`
}

// A renderView is the work that an image waits for, or came from.
type renderView struct {
	Fingerprint     string       `json:"fingerprint"`
	Template        string       `json:"template"`
	TemplateVersion int64        `json:"templateVersion"`
	State           string       `json:"state"`
	Attempts        int64        `json:"attempts"`
	Bytes           int64        `json:"bytes,omitempty"`
	DurationMs      float64      `json:"durationMs,omitempty"`
	Lane            string       `json:"lane,omitempty"` // the way that it took in the engine: staged, plain, print
	WantedAt        *time.Time   `json:"wantedAt"`
	EndedAt         *time.Time   `json:"endedAt"`
	ChangedBy       string       `json:"changedBy,omitempty"` // row, template, options: why it is not the picture before
	Texts           []TextChange `json:"changed,omitempty"`   // texts on the picture that were others before
}

// A rowImageView is one image of a row.
type rowImageView struct {
	Output      string            `json:"output"`
	URL         string            `json:"url,omitempty"`
	ContentHash string            `json:"contentHash,omitempty"`
	Format      string            `json:"format,omitempty"`
	Width       int               `json:"width,omitempty"`
	Height      int               `json:"height,omitempty"`
	Generation  int64             `json:"generation"`
	RenderedAt  *time.Time        `json:"renderedAt"`
	Waiting     bool              `json:"waiting"` // a newer one is wanted
	Problem     *bindings.Problem `json:"problem,omitempty"`
	Render      *renderView       `json:"render,omitempty"` // null where it is kept no longer
}

// showRow tells all about one row of a binding.
func (s *Server) showRow(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	escaped := r.URL.EscapedPath()
	key, err := bindings.NormalKey(escaped[strings.LastIndexByte(escaped, '/')+1:])
	if err != nil {
		return problem.New(problem.NotFound, "%s names no row: %w", r.URL.Path, err).WithSlug("row_not_found").
			WithHint("the path is /bindings/NAME/rows/KEY, with the key percent-encoded")
	}
	seen, err := s.seenDeliveries(r.Context())
	if err != nil {
		return err
	}
	h, err := s.deps.Resources.RowOf(r.Context(), b.Name, key, seen)
	if err != nil {
		return fmt.Errorf("read row %q of the binding %q: %w", key, b.Name, err)
	}
	return answer(w, http.StatusOK, map[string]any{"row": s.viewOfHistory(key, h)})
}

func viewOfRowSource(name, position string, f connectors.Freshness) *rowSourceView {
	health := f.Health(time.Now())
	return &rowSourceView{
		Name: name, State: health.State, Cause: health.Cause, Position: position,
		ReadAt: moment(f.EndedAt), ConfirmedAt: moment(f.ConfirmedAt), NextAt: moment(f.NextAt),
	}
}

// viewOfRender is the render of an output; nil where it is kept no longer.
func viewOfRender(renders []RowRender, output string) *renderView {
	for _, r := range renders {
		if r.Output == output {
			return &renderView{
				Fingerprint: r.Fingerprint, Template: r.Template, TemplateVersion: r.Version, State: r.State, Attempts: r.Attempts, Bytes: r.Bytes,
				DurationMs: float64(r.Duration.Microseconds()) / 1000, Lane: r.Lane, WantedAt: moment(r.WantedAt), EndedAt: moment(r.EndedAt),
				ChangedBy: r.Redrawn, Texts: r.Texts,
			}
		}
	}
	return nil
}

func (s *Server) viewOfHistory(key string, h RowHistory) historyView {
	v := historyView{
		Key: key, Name: bindings.KeyText(key), Gone: h.Row == nil, State: h.State, Generation: h.Generation, Trace: h.Trace, Problem: h.Problem,
		Images: []rowImageView{}, Deliveries: []deliveryView{}, Paused: h.Paused,
	}
	if h.Assigned.Is() {
		v.Variant = &rowVariantView{h.Assigned.Experiment, h.Assigned.Unit, h.Assigned.Variant}
	}
	v.Source = *viewOfRowSource(h.Source, h.Position, h.Freshness)
	v.Source.AskedAt = moment(h.AskedAt)
	if h.Row != nil {
		v.Missing, v.Version, v.Values = h.Row.Missing, h.Row.Version, h.Row.Values
	}
	for _, i := range h.Images {
		image := rowImageView{
			Output: i.Output, ContentHash: i.Hash, Format: i.Format, Width: i.Width, Height: i.Height, Generation: i.Generation,
			RenderedAt: moment(i.RenderedAt), Waiting: i.Waiting, Problem: i.Problem,
		}
		image.Render = viewOfRender(h.Renders, i.Output)
		if i.Hash != "" {
			image.URL = s.base + "/images/" + i.Hash + "." + i.Ext
		}
		v.Images = append(v.Images, image)
	}
	for _, d := range h.Deliveries {
		v.Deliveries = append(v.Deliveries, viewOfDelivery(d))
	}
	return v
}
