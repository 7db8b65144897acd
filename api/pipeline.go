package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/sink"
)

// The stages of a row's way, in their order.
const (
	stageSource  = "source"
	stageFetch   = "fetch"
	stageMap     = "map"
	stageRender  = "render"
	stageDeliver = "deliver"
)

const (
	payloadRows = 5
	// backfillLeast is from how many images on that wait they are a backfill, if they are
	// also a tenth of all.
	backfillLeast = 10
)

// A pipelineView is the way of a binding's rows, from the source to whoever is told.
type pipelineView struct {
	Stages   []stageView   `json:"stages"` // source, fetch, map, render, deliver
	Payload  payloadView   `json:"payload"`
	Backfill *backfillView `json:"backfill"` // null: none is under way
}

// A stageView is one step of the way: how it goes, and what to do about it.
type stageView struct {
	Name      string     `json:"name"`
	Level     string     `json:"level"` // ok, warn, error, paused
	Cause     string     `json:"cause,omitempty"`
	Next      string     `json:"next,omitempty"`
	Link      string     `json:"link,omitempty"` // a path of the studio
	LatencyMs *float64   `json:"latencyMs"`      // of source how old what is known is, of fetch the last reading, of render the median of the last minutes, of deliver the newest delivery; null: nobody knows
	At        *time.Time `json:"at"`             // when something last went through
	Detail    string     `json:"detail,omitempty"`
}

// A payloadView is what came last.
type payloadView struct {
	At    *time.Time        `json:"at"`    // a row last changed
	Rows  []json.RawMessage `json:"rows"`  // a few of those that the last reading changed; where none is known, of all
	Total int64             `json:"total"` // rows with images
}

// A backfillView is how far many images are that are made at once, as those of a
// binding that is new or whose template has changed.
type backfillView struct {
	State     string     `json:"state"` // reading: a snapshot of a stream; drawing
	Done      int64      `json:"done"`
	Total     *int64     `json:"total"` // null: nobody knows
	Share     *float64   `json:"share"` // of Total
	StartedAt *time.Time `json:"startedAt"`
}

// A pipeline is all that the stages of a binding are judged by.
type pipeline struct {
	now      time.Time
	binding  Binding
	path     string // of the binding
	status   bindings.Status
	fresh    connectors.Freshness
	stream   *StreamState
	load     Load
	newest   *bindings.Shown // image
	told     *sink.Record    // newest delivery that arrived
	sinks    []Connection    // of the binding
	flowFunc func(c Connection) *flowView
}

func (s *Server) showPipeline(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	is, err := s.pipelineOf(r.Context(), b)
	if err != nil {
		return err
	}
	rows, err := s.payload(r.Context(), b.Source)
	if err != nil {
		return err
	}
	v := pipelineView{
		Stages:   []stageView{is.ofSource(), is.ofFetch(), is.ofMap(), is.ofRender(), is.ofDeliver()},
		Payload:  payloadView{At: moment(is.fresh.ChangedAt), Rows: list(rows), Total: max(is.status.Live, int64(len(rows)))},
		Backfill: is.backfill(),
	}
	return answer(w, http.StatusOK, v)
}

// payload is a few rows as they came last; of a source of which no change is kept, some
// of its rows.
func (s *Server) payload(ctx context.Context, source string) (rows []json.RawMessage, err error) {
	last, err := s.deps.Bindings.RowChanges(ctx, source, payloadRows)
	if err != nil {
		return nil, fmt.Errorf("read the last change of %q: %w", source, err)
	}
	for _, row := range last.Rows {
		if row.After != nil {
			rows = append(rows, row.After)
		}
	}
	if len(rows) > 0 {
		return rows, nil
	}
	some, err := s.deps.Bindings.Rows(ctx, source, "", payloadRows)
	if err != nil {
		return nil, fmt.Errorf("read rows of source %q: %w", source, err)
	}
	for _, row := range some {
		rows = append(rows, row.Values)
	}
	return rows, nil
}

// pipelineOf looks at everything that a binding's rows pass.
func (s *Server) pipelineOf(ctx context.Context, b Binding) (pipeline, error) {
	is := pipeline{now: time.Now(), binding: b, path: "/bindings/" + url.PathEscape(b.Name), flowFunc: func(c Connection) *flowView { return s.flowSeen(ctx, c) }}
	fresh, err := s.freshness(ctx)
	if err != nil {
		return is, fmt.Errorf("read how current the sources are: %w", err)
	}
	is.fresh = fresh[b.Source]
	statuses, err := s.deps.Bindings.Bindings(ctx, []string{b.Name})
	if err != nil {
		return is, fmt.Errorf("read state of binding %q: %w", b.Name, err)
	}
	if len(statuses) > 0 {
		is.status = statuses[0]
	}
	streams, err := s.streamStates(ctx, kindSource)
	if err != nil {
		return is, err
	}
	if state, ok := streams[b.Source]; ok {
		is.stream = &state
	}
	if is.load, err = s.load.get(ctx); err != nil {
		return is, fmt.Errorf("count what there is to do: %w", err)
	}
	images, _, err := s.deps.Gallery.Gallery(ctx, bindings.ImageFilter{Owner: bindings.BindingOwner(b.Name)}, 1)
	if err != nil {
		return is, fmt.Errorf("find the newest image of %q: %w", b.Name, err)
	}
	if len(images) > 0 {
		is.newest = &images[0]
	}
	return is, s.addDeliveries(ctx, &is)
}

// addDeliveries adds how the sinks of a binding fare.
func (s *Server) addDeliveries(ctx context.Context, is *pipeline) error {
	if len(is.binding.Sinks) == 0 {
		return nil
	}
	told, err := s.deps.Deliveries.Deliveries(ctx, sink.Selection{Binding: is.binding.Name, State: "delivered"}, sink.Place{}, 1)
	if err != nil {
		return fmt.Errorf("find the newest delivery of %q: %w", is.binding.Name, err)
	}
	if len(told) > 0 {
		is.told = &told[0]
	}
	all, err := s.deps.Resources.Connections(ctx, kindSink)
	if err != nil {
		return fmt.Errorf("look up sinks: %w", err)
	}
	for _, c := range all {
		if slices.Contains(is.binding.Sinks, c.Name) {
			is.sinks = append(is.sinks, c)
		}
	}
	return nil
}

func stageOf(name string, h connectors.Health, link string) stageView {
	return stageView{Name: name, Level: cmp.Or(h.State, connectors.StateOK), Cause: h.Cause, Next: h.Next, Link: link}
}

// ofSource is whether anything is heard of the source.
func (is pipeline) ofSource() stageView {
	f := is.fresh
	f.Complete, f.Quarantined = true, 0 // of what it said
	v := stageOf(stageSource, f.Health(is.now), "/sources/"+url.PathEscape(is.binding.Source))
	v.At = moment(f.HeardAt())
	if lag := f.Lag(is.now); lag >= 0 {
		v.LatencyMs = millisOf(lag)
	}
	switch {
	case is.stream != nil:
		v.Detail = "a stream: " + is.stream.Phase
	case f.Expected > 0:
		v.Detail = "read every " + f.Expected.String()
	case !f.HeardAt().IsZero():
		v.Detail = "its rows are sent"
	}
	return v
}

// ofFetch is what the last reading brought.
func (is pipeline) ofFetch() stageView {
	f := connectors.Freshness{Complete: is.fresh.Complete, Reason: is.fresh.Reason, Quarantined: is.fresh.Quarantined}
	v := stageOf(stageFetch, f.Health(is.now), is.path+"/changes")
	v.At = moment(later(is.fresh.EndedAt, is.fresh.ToldAt))
	if took := is.fresh.EndedAt.Sub(is.fresh.BegunAt); !is.fresh.BegunAt.IsZero() && took >= 0 {
		v.LatencyMs = millisOf(took)
	}
	if f.Quarantined > 0 {
		v.Link = is.path + "/rows?show=kept"
	}
	switch {
	case is.fresh.Reading():
		v.Detail = "a reading is under way"
	case is.fresh.EndedAt.IsZero():
		v.Detail = "it was not read yet"
	case is.fresh.Unchanged > 0:
		v.Detail = countOf(int(is.fresh.Unchanged), "reading") + " without a change"
	}
	return v
}

// ofMap is what the binding makes of rows, and what the guard says of it.
func (is pipeline) ofMap() stageView {
	st := is.status
	st.Failed, st.WantedSince = 0, time.Time{} // of pictures
	v := stageOf(stageMap, st.Health(connectors.Health{State: connectors.StateOK}, is.binding.Error, is.now), is.path+"/config")
	if v.Level == connectors.StateWarn {
		v.Link = is.path + "/guard"
	}
	v.At = moment(is.fresh.ChangedAt)
	v.Detail = countOf(int(is.status.Live), "row") + " with images"
	return v
}

// ofRender is whether pictures are made.
func (is pipeline) ofRender() stageView {
	st := bindings.Status{Live: is.status.Live, Failed: is.status.Failed, WantedSince: is.status.WantedSince}
	v := stageOf(stageRender, st.Health(connectors.Health{State: connectors.StateOK}, nil, is.now), "/images?binding="+url.QueryEscape(is.binding.Name))
	if v.Level == connectors.StateWarn {
		v.Link = is.path + "/rows?show=failed"
	}
	if c := is.load.Chrome; c != nil && c.Failed > 0 && c.Failed == c.Size {
		v.Level, v.Cause, v.Next, v.Link = connectors.StateError, "no Chrome starts: "+c.Error, "run pictifyd doctor, and do what it says", "/system"
	}
	if is.load.Pace.Count > 0 {
		v.LatencyMs = millisOf(is.load.Pace.P50)
	}
	if is.newest != nil {
		v.At = moment(is.newest.RenderedAt)
	}
	v.Detail = fmt.Sprintf("%s as wanted", countOf(int(is.status.Ready), "row"))
	if is.status.Waiting > 0 {
		v.Detail = fmt.Sprintf("%s to draw", countOf(int(is.status.Waiting), "row"))
	}
	return v
}

// ofDeliver is whether sinks are told: the worst of them stands for all.
func (is pipeline) ofDeliver() stageView {
	v := stageView{Name: stageDeliver, Level: connectors.StateOK, Detail: "no sink is told: images are at their addresses"}
	if len(is.binding.Sinks) == 0 {
		return v
	}
	v.Detail, v.Link = countOf(len(is.binding.Sinks), "sink")+" told", "/deliveries?binding="+url.QueryEscape(is.binding.Name)
	if is.told != nil {
		v.At = moment(is.told.EndedAt)
		v.LatencyMs = millisOf(max(is.told.EndedAt.Sub(is.told.CreatedAt), 0))
	}
	for _, c := range is.sinks {
		h, link := healthOfSink(c, is.flowFunc(c))
		if slices.Index(stateWords, h.State) < slices.Index(stateWords, v.Level) {
			v.Level, v.Cause, v.Next, v.Link = h.State, "sink "+c.Name+": "+h.Cause, h.Next, link
		}
	}
	return v
}

// backfill is how far many images are that are made at once; nil where there are few.
func (is pipeline) backfill() *backfillView {
	part := func(v backfillView, done, total int64) *backfillView {
		v.Done = done
		if total > 0 {
			share := min(float64(done)/float64(total), 1)
			v.Total, v.Share = &total, &share
		}
		return &v
	}
	if is.stream != nil && is.stream.Phase == "snapshot" {
		return part(backfillView{State: "reading", StartedAt: moment(is.stream.Since)}, is.stream.Rows, is.stream.OfRows)
	}
	st := is.status
	if st.Waiting < backfillLeast || st.Waiting*10 < st.Live {
		return nil
	}
	return part(backfillView{State: "drawing", StartedAt: moment(st.WantedSince)}, st.Live-st.Waiting, st.Live)
}

func millisOf(d time.Duration) *float64 {
	ms := inMillis(d)
	return &ms
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
