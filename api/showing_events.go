package api

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const (
	eventsPath = "/s/events"
	writeKey   = "X-Write-Key"

	eventCalls    = 1000 // a minute, of one client, with a write key
	pageEvents    = 100  // in one call, with a write key
	serverEvents  = 1000 // with a key of the API
	pageBody      = 1 << 20
	serverBody    = 12 << 20
	maxEventID    = 100
	maxDevice     = 20
	maxMetadata   = 10 << 10
	metadataDepth = 3
	// Clocks of others differ, and a report may come late.
	eventAhead  = 5 * time.Minute
	eventBehind = 30 * 24 * time.Hour
)

var (
	eventKinds    = []string{experiment.Impression, experiment.View, experiment.Click, experiment.Conversion}
	eventChannels = []string{experiment.Web, experiment.Email, "ad", "in-app", "social", "other"}
)

// A sentEvent is an event as callers write it.
type sentEvent struct {
	Experiment string          `json:"experiment"`          // its slug, or its id
	Event      string          `json:"event"`               // impression, view, click or conversion
	Unit       string          `json:"unit"`                // that was shown the image
	Signature  string          `json:"sig,omitempty"`       // of the unit, where it is known
	ID         string          `json:"id,omitempty"`        // of each there is one for ever: what is sent again counts once
	VariantID  string          `json:"variantId,omitempty"` // what the caller thinks; the assignment decides
	Channel    string          `json:"channel,omitempty"`   // web, email, ad, in-app, social or other
	Device     string          `json:"device,omitempty"`    // desktop, mobile, tablet
	Referrer   string          `json:"referrer,omitempty"`  // of which the host is kept
	At         *time.Time      `json:"at,omitempty"`        // when it was; without it, now
	Metadata   json.RawMessage `json:"metadata,omitempty"`  // an object, at most 10 KiB and three deep
}

// An eventsView is the answer to events.
type eventsView struct {
	OK         bool               `json:"ok"`         // nothing of it was refused
	Processed  int                `json:"processed"`  // taken for the first time
	Duplicates int                `json:"duplicates"` // whose id was there before
	Errors     []eventErrorView   `json:"errors"`
	Warnings   []eventWarningView `json:"warnings"`
}

// An eventErrorView is an event that was not taken, and why.
type eventErrorView struct {
	Index int    `json:"index"`
	Code  string `json:"code"`
	Error string `json:"error"`
	Field string `json:"field,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// An eventWarningView is an event that was taken with a doubt.
type eventWarningView struct {
	Index   int    `json:"index"`
	Code    string `json:"code"` // variant_mismatch, unassigned, or why it does not count
	Warning string `json:"warning"`
}

// takeEvents takes in what pages and servers report of units.
func (s *Server) takeEvents(w http.ResponseWriter, r *http.Request) error {
	call, bounds, err := s.eventCaller(w, r)
	if err != nil {
		return err
	}
	items, err := eventItems(w, r, bounds)
	if err != nil {
		return err
	}
	answers := make([]EventTaken, len(items))
	var places []int
	for i, item := range items {
		e, err := readEvent(item, r, i, len(items))
		if err != nil {
			answers[i].Err = err
			continue
		}
		call.Events, places = append(call.Events, e), append(places, i)
	}
	if len(places) > 0 {
		taken, err := s.deps.Exhibit.TakeEvents(r.Context(), call)
		if err != nil {
			return err
		}
		for n, i := range places {
			answers[i] = taken[n]
		}
	}
	if len(answers) == 1 && answers[0].Err != nil {
		return answers[0].Err
	}
	return answer(w, http.StatusOK, viewOfEvents(answers))
}

// An eventBounds is how much one caller may send at once.
type eventBounds struct{ events, bytes int }

// eventCaller is who sends events. A key of the API that was sent has to be good; a
// session is no key here, for a page of anybody could use it.
func (s *Server) eventCaller(w http.ResponseWriter, r *http.Request) (EventCall, eventBounds, error) {
	if r.Header.Get("Authorization") != "" {
		p, err := s.permit(r, ExperimentsWrite)
		if err == nil {
			err = p.meter(w.Header())
		}
		return EventCall{Trusted: true}, eventBounds{serverEvents, serverBody}, err
	}
	key := r.Header.Get(writeKey)
	if key == "" {
		return EventCall{}, eventBounds{}, problem.New(problem.Unauthorized, "events need a key").WithSlug(slugNoKey).
			WithHint("send %s with the write key of the experiment, or Authorization: Bearer KEY with experiments:write", writeKey)
	}
	if wait, ok := s.eventCalls.take(clientOf(r), time.Now()); !ok {
		return EventCall{}, eventBounds{}, retry.After(problem.New(problem.Overloaded, "your address sent events %d times in a minute", eventCalls).
			WithSlug(slugRate).WithHint("send several in one call, after the seconds of Retry-After"), wait)
	}
	return EventCall{WriteKey: key}, eventBounds{pageEvents, pageBody}, nil
}

// eventItems are the events of a body: one, a list, or {"events": list}.
func eventItems(w http.ResponseWriter, r *http.Request, bounds eventBounds) ([]json.RawMessage, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(bounds.bytes)))
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return nil, problem.New(problem.TooLarge, "the body is larger than %d bytes", bounds.bytes).WithHint("send fewer events at once")
		}
		return nil, smallBodyError(err)
	}
	var items []json.RawMessage
	body = bytes.TrimSpace(body)
	if bytes.HasPrefix(body, []byte("[")) {
		err = json.Unmarshal(body, &items)
	} else {
		var whole struct {
			Events *[]json.RawMessage `json:"events"`
		}
		if err = json.Unmarshal(body, &whole); err == nil {
			items = []json.RawMessage{body}
			if whole.Events != nil {
				items = *whole.Events
			}
		}
	}
	switch {
	case err != nil:
		return nil, problem.New(problem.Invalid, "the body is no JSON of events: %v", err).WithSlug("bad_json").
			WithHint(`send {"events": [{"experiment": "SLUG", "event": "conversion", "unit": "UNIT"}]}`)
	case len(items) == 0 || len(items) > bounds.events:
		return nil, problem.New(problem.Invalid, "a call has 1 to %d events, this one has %d", bounds.events, len(items)).WithSlug("out_of_range").At("events")
	}
	return items, nil
}

// readEvent reads the i-th of n events.
func readEvent(item json.RawMessage, r *http.Request, i, n int) (SentEvent, error) {
	var sent sentEvent
	if err := json.Unmarshal(item, &sent); err != nil {
		return SentEvent{}, problem.New(problem.Invalid, "this is no event: %v", err).WithSlug("bad_json")
	}
	if sent.Unit == "" {
		sent.Unit = cookieUnit(r)
	}
	if err := sent.check(time.Now()); err != nil {
		return SentEvent{}, err
	}
	e := SentEvent{Signature: sent.Signature, Event: experiment.Event{
		Experiment: sent.Experiment, ID: sent.ID, Kind: sent.Event, Unit: sent.Unit, Claimed: sent.VariantID, Channel: cmp.Or(sent.Channel, experiment.Web),
		Device: sent.Device, Referrer: hostOf(sent.Referrer), Metadata: sent.Metadata,
	}}
	if sent.At != nil {
		e.At = *sent.At
	}
	if key := r.Header.Get("Idempotency-Key"); e.ID == "" && key != "" {
		e.ID = key
		if n > 1 {
			e.ID += ":" + strconv.Itoa(i)
		}
	}
	e.ID = cmp.Or(e.ID, "event_"+rand.Text())
	return e, nil
}

func (e sentEvent) check(now time.Time) error {
	wrong := func(field, format string, args ...any) *problem.Error {
		return problem.New(problem.Invalid, format, args...).WithSlug("bad_event").At(field)
	}
	switch {
	case e.Experiment == "":
		return wrong("experiment", "the event names no experiment").WithHint("give its slug")
	case !slices.Contains(eventKinds, e.Event):
		return wrong("event", "%q is no event", e.Event).WithHint("they are %s", strings.Join(eventKinds, ", "))
	case e.Unit == "":
		return wrong("unit", "the event names no unit").WithHint("give the one of the image's address; a page that somebody clicked through to has it in px_unit")
	case e.Channel != "" && !slices.Contains(eventChannels, e.Channel):
		return wrong("channel", "%q is no channel", e.Channel).WithHint("they are %s", strings.Join(eventChannels, ", "))
	case len(e.ID) > maxEventID:
		return wrong("id", "the id has more than %d bytes", maxEventID)
	case len(e.Device) > maxDevice:
		return wrong("device", "the device has more than %d bytes", maxDevice).WithHint("say desktop, mobile or tablet; the name of a browser is not kept")
	case e.At != nil && (e.At.After(now.Add(eventAhead)) || e.At.Before(now.Add(-eventBehind))):
		return wrong("at", "%s is to come, or longer ago than %d days", e.At.Format(time.RFC3339), int(eventBehind.Hours()/24))
	case len(e.Metadata) > maxMetadata:
		return wrong("metadata", "the metadata have more than %d bytes", maxMetadata)
	case !metadataFits(e.Metadata):
		return wrong("metadata", "the metadata are no object, or more than %d deep", metadataDepth)
	}
	return checkUnit(e.Unit)
}

// metadataFits reports whether text is an object that is not too deep.
func metadataFits(text json.RawMessage) bool {
	if len(text) == 0 || string(text) == "null" {
		return true
	}
	if text[0] != '{' {
		return false
	}
	depth, d := 0, json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > metadataDepth {
				return false
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// hostOf is what is kept of a referrer: its path may say who somebody is.
func hostOf(referrer string) string {
	u, err := url.Parse(referrer)
	if err != nil || len(u.Hostname()) > 253 {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

func viewOfEvents(answers []EventTaken) eventsView {
	v := eventsView{Errors: []eventErrorView{}, Warnings: []eventWarningView{}}
	for i, a := range answers {
		warn := func(code, text string) { v.Warnings = append(v.Warnings, eventWarningView{i, code, text}) }
		switch {
		case a.Err != nil:
			v.Errors = append(v.Errors, errorOfEvent(i, a.Err))
			continue
		case a.Duplicate:
			v.Duplicates++
			continue
		}
		v.Processed++
		if a.Mismatch {
			warn("variant_mismatch", "the unit was given another variant, "+strconv.Quote(a.Variant)+"; the event counts for that one")
		}
		switch {
		case a.Suspect != "":
			warn(a.Suspect, "the event is kept and does not count")
		case a.Unassigned:
			warn("unassigned", "the unit was never shown the image; the event is kept and counts for no variant")
		}
	}
	v.OK = len(v.Errors) == 0
	return v
}

func errorOfEvent(i int, err error) eventErrorView {
	v := eventErrorView{Index: i, Code: "internal", Error: "the event could not be taken"}
	if list := problem.All(err); len(list) > 0 && list[0].Code != problem.Internal {
		p := list[0]
		v.Code, v.Error, v.Field, v.Hint = cmp.Or(p.Slug, string(p.Code)), p.Message, p.Path, p.Hint
	}
	return v
}
