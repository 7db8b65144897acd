package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// stateSize is more than what a daemon says of itself takes.
const stateSize = 64 << 20

// The words for how something goes.
const (
	StateOK     = "ok"
	StateWarn   = "warn"
	StateError  = "error"
	StatePaused = "paused"
)

// A Source is a source of a running daemon, and how current it is.
type Source struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	UsedBy  []string `json:"usedBy"`
	Error   string   `json:"error,omitempty"` // why it cannot be used
	Reading struct {
		Rows int64 `json:"rows"`
	} `json:"reading"`
	Freshness Freshness `json:"freshness"`
	Stream    *Stream   `json:"stream,omitempty"` // nil: it is no stream
}

// A Freshness is how current a source is.
type Freshness struct {
	State           string     `json:"state"`
	Cause           string     `json:"cause,omitempty"`
	LagSeconds      *float64   `json:"lagSeconds"` // nil: its rows were never confirmed
	ExpectedSeconds float64    `json:"expectedSeconds"`
	Reading         bool       `json:"reading"`
	BeganAt         *time.Time `json:"beganAt"`
	EndedAt         *time.Time `json:"endedAt"`
	ConfirmedAt     *time.Time `json:"confirmedAt"`
	ChangedAt       *time.Time `json:"changedAt"`
	ToldAt          *time.Time `json:"toldAt"`
	NextAt          *time.Time `json:"nextAt"`
	Unchanged       int64      `json:"unchangedReadings"`
	Failures        int64      `json:"failures"`
	Error           string     `json:"error,omitempty"`
	Quarantined     int64      `json:"quarantined"`
}

// A Binding is a binding of a running daemon, and how current its images are.
type Binding struct {
	Name        string `json:"name"`
	Source      string `json:"source"`
	Template    string `json:"template"`
	State       string `json:"state"`
	Error       string `json:"error,omitempty"`
	Items       int64  `json:"items"`
	Ready       int64  `json:"ready"`
	Waiting     int64  `json:"waiting"`
	Failed      int64  `json:"failed"`
	Quarantined int64  `json:"quarantined"`
	Freshness   struct {
		State               string     `json:"state"`
		Cause               string     `json:"cause,omitempty"`
		LagSeconds          *float64   `json:"lagSeconds"`
		ExpectedSeconds     float64    `json:"expectedSeconds"`
		ImagesStale         int64      `json:"imagesStale"`
		OldestWantedAt      *time.Time `json:"oldestWantedAt"`
		OldestWantedSeconds float64    `json:"oldestWantedSeconds"`
	} `json:"freshness"`
}

// A Status is how the sources, bindings and sinks of a daemon are.
type Status struct {
	Sources  []Source  `json:"sources"`
	Bindings []Binding `json:"bindings"`
	Sinks    []Sink    `json:"sinks"`

	Processes []Process `json:"processes,omitempty"` // at work on the store; none where the key may not see them
}

// A Process is a pictifyd at work on the store of another, or one that was until lately.
type Process struct {
	Place   string     `json:"place"`
	State   string     `json:"state,omitempty"` // well, late or gone
	Cause   string     `json:"cause,omitempty"` // why it is not well
	Next    string     `json:"next,omitempty"`
	Roles   []string   `json:"roles"`
	Version string     `json:"version"`
	Address string     `json:"address,omitempty"`
	Holder  bool       `json:"holder"`
	Since   time.Time  `json:"since"`
	HeardAt *time.Time `json:"heardAt,omitempty"` // its last sign of life
	GoneAt  *time.Time `json:"goneAt,omitempty"`  // when it was put out
	InHand  struct {
		Turns      int64 `json:"turns"`
		Renders    int64 `json:"renders"`
		Deliveries int64 `json:"deliveries"`
	} `json:"inHand"`
}

// Status asks how the sources, bindings and sinks of the remote are, and which processes
// are at work, where the key has the scope admin.
func (r Remote) Status(ctx context.Context) (Status, error) {
	var s Status
	for _, path := range []string{"/sources", "/bindings", "/sinks"} {
		data, err := r.Ask(ctx, http.MethodGet, path, nil, nil, stateSize)
		if err == nil {
			err = r.Decode(data, &s)
		}
		if err != nil {
			return Status{}, err
		}
	}
	if data, err := r.Ask(ctx, http.MethodGet, "/system", nil, nil, stateSize); err == nil {
		if err := r.Decode(data, &s); err != nil {
			return Status{}, err
		}
	}
	return s, nil
}

// A Row is all that there is about one row of a binding.
type Row struct {
	Key        string          `json:"key"`
	Name       string          `json:"name"`
	Gone       bool            `json:"gone"`
	Missing    bool            `json:"missing"`
	Version    int64           `json:"version"`
	Values     json.RawMessage `json:"values,omitempty"`
	State      string          `json:"state"`
	Generation int64           `json:"generation"`
	Trace      string          `json:"traceId,omitempty"` // of the generation, in the collector; none where it is not traced
	Problem    *RowProblem     `json:"problem,omitempty"`
	Source     struct {
		Name        string     `json:"name"`
		State       string     `json:"state"`
		Cause       string     `json:"cause,omitempty"`
		Position    string     `json:"position,omitempty"`
		ReadAt      *time.Time `json:"readAt"`
		ConfirmedAt *time.Time `json:"confirmedAt"`
		AskedAt     *time.Time `json:"askedAt,omitempty"`
		NextAt      *time.Time `json:"nextAt"`
	} `json:"source"`
	Paused     string     `json:"pausedReason,omitempty"` // why its binding is, where no person has paused it
	Images     []RowImage `json:"images"`
	Deliveries []Delivery `json:"deliveries"`
}

// A RowProblem is why a row has no picture.
type RowProblem struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"error"`
}

// A RowImage is one image of a row, and the work that it came from.
type RowImage struct {
	Output      string      `json:"output"`
	URL         string      `json:"url,omitempty"`
	ContentHash string      `json:"contentHash,omitempty"`
	Format      string      `json:"format,omitempty"`
	Width       int         `json:"width,omitempty"`
	Height      int         `json:"height,omitempty"`
	Generation  int64       `json:"generation"`
	RenderedAt  *time.Time  `json:"renderedAt"`
	Waiting     bool        `json:"waiting"`
	Problem     *RowProblem `json:"problem,omitempty"`
	Render      *struct {
		Fingerprint     string     `json:"fingerprint"`
		Template        string     `json:"template"`
		TemplateVersion int64      `json:"templateVersion"`
		State           string     `json:"state"`
		Attempts        int64      `json:"attempts"`
		Bytes           int64      `json:"bytes"`
		DurationMs      float64    `json:"durationMs"`
		Lane            string     `json:"lane,omitempty"`
		WantedAt        *time.Time `json:"wantedAt"`
		EndedAt         *time.Time `json:"endedAt"`
		ChangedBy       string     `json:"changedBy,omitempty"`
		Changed         []struct {
			Variable string `json:"variable,omitempty"`
			Before   string `json:"before"`
			After    string `json:"after"`
		} `json:"changed,omitempty"`
	} `json:"render,omitempty"`
}

// Row is all that the remote knows of a row of a binding. key is its columns,
// percent-encoded and joined by commas, or a single column as it is.
func (r Remote) Row(ctx context.Context, binding, key string) (Row, error) {
	data, err := r.Ask(ctx, http.MethodGet, "/bindings/"+url.PathEscape(binding)+"/rows/"+key, nil, nil, stateSize)
	if err != nil {
		return Row{}, err
	}
	var answer struct {
		Row Row `json:"row"`
	}
	err = r.Decode(data, &answer)
	return answer.Row, err
}
