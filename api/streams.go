package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Slugs of what only a stream can do.
const (
	SlugNoStream = "not_a_stream"
	SlugNoReplay = "replay_unsupported"
)

// Streams tells about sources that are held, and takes a person's word on them.
type Streams interface {
	// StreamStates are those of all sources that are held, by name.
	StreamStates(ctx context.Context) (map[string]StreamState, error)
	// ReplayKeptOut tries again what is kept out of a source: what stands at
	// positions, or all of it where positions is nil.
	ReplayKeptOut(ctx context.Context, source string, positions []string) (Replayed, error)
	// DiscardKeptOut forgets it.
	DiscardKeptOut(ctx context.Context, source string, positions []string) (int64, error)
}

// A StreamState is how a source fares that is held.
type StreamState struct {
	Phase        string
	Since        time.Time // it is in that phase
	HeardAt      time.Time
	Rows, OfRows int64 // of the snapshot; 0 of OfRows: nobody knows
	Lag          map[string]int64
	Retained     int64 // bytes that its server keeps only for this reader
	Warning      *Advice
	Halted       *Advice

	Gap        string
	GapAt      time.Time
	Gaps       int64
	Resnapshot bool // all rows are to be read again
}

// An Advice is what is wrong, and what to do about it.
type Advice struct {
	Why  string `json:"why"`
	Next string `json:"next,omitempty"`
}

// A Replayed says what became of what was tried again.
type Replayed struct {
	Replayed    int // are rows now
	Stale       int // a newer state of their row had come meanwhile: they are dropped
	StillBroken int // stay, with the reason of now
}

// A streamView is how a source fares that is held.
type streamView struct {
	Phase    string           `json:"phase"` // connecting, snapshot, streaming, halted
	Since    *time.Time       `json:"since"` // it is in that phase
	HeardAt  *time.Time       `json:"heardAt"`
	Snapshot *snapshotView    `json:"snapshot"` // null: none is under way
	Lag      map[string]int64 `json:"lag"`      // what is still to be told, by part: records by partition, or bytes of WAL
	Retained int64            `json:"retainedBytes"`
	Warning  *Advice          `json:"warning"`
	Halted   *Advice          `json:"halted"` // why it waits for a person

	Gap        *gapView `json:"gap"`  // null: none, or all rows were read since
	Gaps       int64    `json:"gaps"` // that there were
	Resnapshot bool     `json:"resnapshot"`
}

// A snapshotView is how far the reading of all rows is.
type snapshotView struct {
	Rows   int64 `json:"rows"`
	OfRows int64 `json:"ofRows"` // about; 0: nobody knows
}

// A gapView is why changes may have been missed.
type gapView struct {
	Why string     `json:"why"`
	At  *time.Time `json:"at"`
}

func viewOfStream(s StreamState) *streamView {
	v := &streamView{
		Phase: s.Phase, Since: moment(s.Since), HeardAt: moment(s.HeardAt), Lag: s.Lag, Retained: s.Retained,
		Warning: s.Warning, Halted: s.Halted, Gaps: s.Gaps, Resnapshot: s.Resnapshot,
	}
	if v.Lag == nil {
		v.Lag = map[string]int64{}
	}
	if s.Phase == "snapshot" {
		v.Snapshot = &snapshotView{s.Rows, s.OfRows}
	}
	if s.Gap != "" {
		v.Gap = &gapView{s.Gap, moment(s.GapAt)}
	}
	return v
}

// streamStates are those of the sources, where connections of a kind have one.
func (s *Server) streamStates(ctx context.Context, kind string) (map[string]StreamState, error) {
	if kind != kindSource || s.deps.Streams == nil {
		return nil, nil
	}
	all, err := s.deps.Streams.StreamStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("look how the streams fare: %w", err)
	}
	return all, nil
}

// sourceOf is the name of the source that r names, which there is.
func (s *Server) sourceOf(r *http.Request) (string, error) {
	name := r.PathValue("name")
	all, err := s.deps.Resources.Connections(r.Context(), kindSource)
	if err != nil {
		return "", fmt.Errorf("look up the source %q: %w", name, err)
	}
	var names []string
	for _, one := range all {
		if one.Name == name {
			return name, nil
		}
		names = append(names, one.Name)
	}
	p := problem.New(problem.NotFound, "there is no source %q", name).WithSlug(kindSource + slugNotFound)
	if near, ok := config.Nearest(name, names); ok {
		return "", p.WithHint("did you mean %q?", near)
	}
	return "", p.WithHint("GET /sources lists them")
}

// A poisonView is a row that is kept out of a source.
type poisonView struct {
	Position string     `json:"position"`
	Key      string     `json:"key"`  // canonical; "" where it could not be read
	Name     string     `json:"name"` // the key for people
	Reason   string     `json:"reason"`
	Detail   string     `json:"detail"`
	At       *time.Time `json:"at"`      // when it came; null of what is read anew each time
	Replays  bool       `json:"replays"` // it can be tried again
	Tries    int64      `json:"tries"`   // that were in vain
	TriedAt  *time.Time `json:"triedAt"`
}

// A poisonPage is a page of them.
type poisonPage struct {
	Quarantined []poisonView `json:"quarantined"`
	Next        string       `json:"next,omitempty"` // the after of the next page
}

// listKeptOut gives a page of what is kept out of a source, the oldest first.
func (s *Server) listKeptOut(w http.ResponseWriter, r *http.Request) error {
	source, err := s.sourceOf(r)
	if err != nil {
		return err
	}
	limit, err := intParam(r, "limit", defaultPage, 1, maxPage)
	if err != nil {
		return err
	}
	after, err := readMark(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	rows, err := s.deps.Bindings.KeptOutPage(r.Context(), source, after, limit)
	if err != nil {
		return fmt.Errorf("read what is kept out of the source %q: %w", source, err)
	}
	page := poisonPage{Quarantined: []poisonView{}}
	for _, k := range rows {
		page.Quarantined = append(page.Quarantined, poisonView{
			Position: k.Position, Key: k.Key, Name: bindings.KeyText(k.Key), Reason: k.Reason, Detail: k.Detail,
			At: moment(k.At), Replays: len(k.Raw) > 0, Tries: k.Tries, TriedAt: moment(k.TriedAt),
		})
	}
	if len(rows) == limit {
		page.Next = markOf(rows[len(rows)-1])
	}
	return answer(w, http.StatusOK, page)
}

// A keptMark is where a page of what is kept out ends.
type keptMark struct {
	Seq      int64  `json:"s"`
	Position string `json:"p"`
	Key      string `json:"k"`
}

func markOf(k bindings.KeptOut) string {
	text, _ := json.Marshal(keptMark{k.Seq, k.Position, k.Key}) // it has only texts and a number
	return base64.RawURLEncoding.EncodeToString(text)
}

func readMark(text string) (k bindings.KeptOut, err error) {
	if text == "" {
		return k, nil
	}
	var at keptMark
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(data, &at)
	}
	if err != nil {
		return k, problem.New(problem.Invalid, "after is no place in the list").At("after").WithHint("take it from next of the page before")
	}
	k.Seq, k.Position, k.Key = at.Seq, at.Position, at.Key
	return k, nil
}

// maxPositions is how many rows that are kept out one request may name.
const maxPositions = 1000

// A keptRequest says which of the rows that are kept out are meant.
type keptRequest struct {
	Positions []string `json:"positions,omitempty"` // without them all
}

// A replayView is what became of what was tried again.
type replayView struct {
	Source      string `json:"source"`
	Replayed    int    `json:"replayed"`    // are rows now
	Stale       int    `json:"stale"`       // a newer state of their row had come meanwhile: they are dropped
	StillBroken int    `json:"stillBroken"` // stay, with the reason of now
}

func readKept(w http.ResponseWriter, r *http.Request) (keptRequest, error) {
	var asked keptRequest
	if err := decodeBody(w, r, replayBody, &asked, `{"positions": ["cards/0@17"]}`); err != nil {
		return asked, err
	}
	switch {
	case asked.Positions != nil && len(asked.Positions) == 0:
		return asked, problem.New(problem.Invalid, "there is no position").At("positions").WithHint("name some, or leave positions out for all")
	case len(asked.Positions) > maxPositions:
		return asked, problem.New(problem.TooLarge, "%d positions are more than the %d allowed", len(asked.Positions), maxPositions).At("positions").
			WithHint("send several requests, or leave positions out for all")
	}
	return asked, nil
}

func (s *Server) replayKeptOut(w http.ResponseWriter, r *http.Request) error {
	source, err := s.sourceOf(r)
	if err != nil {
		return err
	}
	asked, err := readKept(w, r)
	if err != nil {
		return err
	}
	done, err := s.deps.Streams.ReplayKeptOut(r.Context(), source, asked.Positions)
	if err != nil {
		return fmt.Errorf("try again what is kept out of the source %q: %w", source, err)
	}
	return answer(w, http.StatusOK, replayView{source, done.Replayed, done.Stale, done.StillBroken})
}

func (s *Server) discardKeptOut(w http.ResponseWriter, r *http.Request) error {
	source, err := s.sourceOf(r)
	if err != nil {
		return err
	}
	asked, err := readKept(w, r)
	if err != nil {
		return err
	}
	n, err := s.deps.Streams.DiscardKeptOut(r.Context(), source, asked.Positions)
	if err != nil {
		return fmt.Errorf("discard what is kept out of the source %q: %w", source, err)
	}
	return answer(w, http.StatusOK, discardedView{n})
}

// A resnapshotView is the answer to the wish that all rows be read again.
type resnapshotView struct {
	Status string `json:"status"` // resnapshot
	Source string `json:"source"`
}

func (s *Server) resnapshotSource(w http.ResponseWriter, r *http.Request) error {
	source, err := s.sourceOf(r)
	if err != nil {
		return err
	}
	streams, err := s.deps.Refresher.Resnapshot(r.Context(), source)
	if err == nil && !streams {
		err = problem.New(problem.Unsupported, "the source %q is no stream", source).WithSlug(SlugNoStream).
			WithHint("POST /bindings/{name}/refresh has it read")
	}
	if err != nil {
		return fmt.Errorf("have all rows of the source %q read again: %w", source, err)
	}
	return answer(w, http.StatusAccepted, resnapshotView{"resnapshot", source})
}
