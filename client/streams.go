package client

import (
	"context"
	"net/url"
	"time"
)

// A Stream is how a source fares that tells of its changes.
type Stream struct {
	Phase    string     `json:"phase"` // connecting, snapshot, streaming, halted
	Since    *time.Time `json:"since"`
	HeardAt  *time.Time `json:"heardAt"`
	Snapshot *struct {
		Rows   int64 `json:"rows"`
		OfRows int64 `json:"ofRows"` // 0: nobody knows
	} `json:"snapshot"`
	Lag           map[string]int64 `json:"lag"`
	RetainedBytes int64            `json:"retainedBytes"`
	Warning       *Advice          `json:"warning"`
	Halted        *Advice          `json:"halted"`
	Gap           *Gap             `json:"gap"` // nil: none, or all rows were read since
	Gaps          int64            `json:"gaps"`
	Resnapshot    bool             `json:"resnapshot"`
}

// An Advice is what is wrong, and what to do about it.
type Advice struct {
	Why  string `json:"why"`
	Next string `json:"next,omitempty"`
}

// A Gap is why changes may have been missed.
type Gap struct {
	Why string     `json:"why"`
	At  *time.Time `json:"at"`
}

// A KeptOut is what could not become a row of a source.
type KeptOut struct {
	Position string     `json:"position"`
	Key      string     `json:"key"`
	Name     string     `json:"name"`
	Reason   string     `json:"reason"`
	Detail   string     `json:"detail"`
	At       *time.Time `json:"at"`
	Replays  bool       `json:"replays"`
	Tries    int64      `json:"tries"`
	TriedAt  *time.Time `json:"triedAt"`
}

// Replayed is what became of what was tried again.
type Replayed struct {
	Source      string `json:"source"`
	Replayed    int    `json:"replayed"`
	Stale       int    `json:"stale"`
	StillBroken int    `json:"stillBroken"`
}

// Resync has a source that is a stream read all its rows again.
func (r Remote) Resync(ctx context.Context, source string) error {
	return r.order(ctx, sourcePath(source)+"/resnapshot", nil, nil)
}

// Source is one source of the remote.
func (r Remote) Source(ctx context.Context, name string) (Source, error) {
	var v struct{ Source Source }
	err := r.read(ctx, sourcePath(name), &v)
	return v.Source, err
}

// Sources are all sources of the remote.
func (r Remote) Sources(ctx context.Context) ([]Source, error) {
	var v struct{ Sources []Source }
	err := r.read(ctx, "/sources", &v)
	return v.Sources, err
}

// Binding is one binding of the remote.
func (r Remote) Binding(ctx context.Context, name string) (Binding, error) {
	var v struct{ Binding Binding }
	err := r.look(ctx, name, "", &v)
	return v.Binding, err
}

// KeptOut is a page of what is kept out of a source, the oldest first; next is the
// after of the page behind it, "" where there is none.
func (r Remote) KeptOut(ctx context.Context, source, after string) (page []KeptOut, next string, err error) {
	var v struct {
		Quarantined []KeptOut
		Next        string
	}
	path := sourcePath(source) + "/quarantine"
	if after != "" {
		path += "?after=" + url.QueryEscape(after)
	}
	err = r.read(ctx, path, &v)
	return v.Quarantined, v.Next, err
}

// A positions says which of the rows that are kept out are meant; without any all.
type positions struct {
	Positions []string `json:"positions,omitempty"`
}

// ReplayKeptOut tries again what is kept out of a stream: at these positions, or all.
func (r Remote) ReplayKeptOut(ctx context.Context, source string, at []string) (done Replayed, err error) {
	return done, r.order(ctx, sourcePath(source)+"/quarantine/replay", positions{at}, &done)
}

// DiscardKeptOut forgets what is kept out of a source: at these positions, or all.
func (r Remote) DiscardKeptOut(ctx context.Context, source string, at []string) (discarded int64, err error) {
	var v struct{ Discarded int64 }
	err = r.order(ctx, sourcePath(source)+"/quarantine/discard", positions{at}, &v)
	return v.Discarded, err
}

func sourcePath(name string) string { return "/sources/" + url.PathEscape(name) }
