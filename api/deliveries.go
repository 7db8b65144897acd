package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// Deliveries tells about the outbox, and takes a person's word on what is in it.
type Deliveries interface {
	// Deliveries are those that a filter takes, newest first, behind a place.
	Deliveries(ctx context.Context, f sink.Selection, after sink.Place, limit int) ([]sink.Record, error)
	// Delivery is one with what it tells and its attempts. One that may not be seen
	// is not there.
	Delivery(ctx context.Context, id string, seen *sink.Seen) (sink.Record, error)
	// DeadLetters are those of a filter by their cause, the largest group first.
	DeadLetters(ctx context.Context, f sink.Selection, limit int) ([]sink.Group, error)
	// ReplayOne has a dead letter, or what arrived, told again, and DiscardOne gives a
	// dead letter up. Another state is a problem of code Conflict.
	ReplayOne(ctx context.Context, id string) error
	DiscardOne(ctx context.Context, id, reason, by string) error
	// Replay and Discard do so with all dead letters of a filter, and count them.
	Replay(ctx context.Context, f sink.Selection) (int64, error)
	Discard(ctx context.Context, f sink.Selection, reason, by string) (int64, error)
	// Redeliver tells a sink again what it was told last.
	Redeliver(ctx context.Context, f sink.Selection, newID bool) (sink.Retold, error)
}

const slugDeliveryNotFound = "delivery_not_found"

// A deliveryView is what one sink was told, or will be.
type deliveryView struct {
	ID         string        `json:"id"`
	Sink       string        `json:"sink"` // of a subscription sub:ID, of a job's webhook job:ID or rows:ID
	Binding    string        `json:"binding,omitempty"`
	JobID      string        `json:"jobId,omitempty"` // of what a job tells
	Key        string        `json:"key,omitempty"`   // none: it is about all of the binding or job
	Event      string        `json:"event"`
	Generation int64         `json:"generation"`
	State      string        `json:"state"` // waiting, claimed, delivered, dead, superseded, discarded
	Attempts   int64         `json:"attempts"`
	Error      string        `json:"error,omitempty"`  // of the last attempt that failed
	Cause      string        `json:"cause,omitempty"`  // what a dead letter shares with others
	Answer     *deliveryEcho `json:"answer,omitempty"` // to the last attempt
	CreatedAt  *time.Time    `json:"createdAt"`
	DueAt      *time.Time    `json:"dueAt,omitempty"` // of the next try
	EndedAt    *time.Time    `json:"endedAt,omitempty"`
	Discarded  *discardView  `json:"discarded,omitempty"`
}

// A deliveryEcho is what a receiver answered.
type deliveryEcho struct {
	Status  int               `json:"status,omitempty"`  // of HTTP
	Headers map[string]string `json:"headers,omitempty"` // those that help
	Body    string            `json:"body,omitempty"`    // its beginning
	Ref     string            `json:"ref,omitempty"`     // where the receiver has it
}

// A discardView is why a dead letter was given up.
type discardView struct {
	Reason string     `json:"reason"`
	By     string     `json:"by"`
	At     *time.Time `json:"at"`
}

// A deliveryDetail is a delivery with what it tells, as far as that is kept, and
// every attempt.
type deliveryDetail struct {
	deliveryView

	Row      json.RawMessage  `json:"row,omitempty"`      // the row's values
	Data     json.RawMessage  `json:"data,omitempty"`     // of an event about a binding as a whole
	RowError json.RawMessage  `json:"rowError,omitempty"` // why a row of a job has no picture
	Outputs  []deliveryOutput `json:"outputs"`
	Tries    []tryView        `json:"tries"`
	Spent    int64            `json:"spentAttempts"` // before it was last replayed: they count no more
}

// A deliveryOutput is one picture that is told of, or why there is none.
type deliveryOutput struct {
	sink.Output
}

// A tryView is one attempt at a delivery.
type tryView struct {
	Attempt    int64         `json:"attempt"`
	At         *time.Time    `json:"at"`
	DurationMs float64       `json:"durationMs"`
	OK         bool          `json:"ok"`
	Error      string        `json:"error,omitempty"`
	Answer     *deliveryEcho `json:"answer,omitempty"`
}

func viewOfDelivery(r sink.Record) deliveryView {
	v := deliveryView{
		ID: r.ID, Sink: r.Sink, Binding: r.Binding, JobID: r.Job, Key: r.Key, Event: r.Event, Generation: r.Generation, State: r.State,
		Attempts: r.Attempts, Error: r.Error, Cause: r.Cause, CreatedAt: moment(r.CreatedAt), EndedAt: moment(r.EndedAt),
	}
	if r.State == sink.Waiting {
		v.DueAt = moment(r.DueAt)
	}
	if r.Receipt != nil {
		v.Answer = viewOfAnswer(*r.Receipt)
	}
	if r.Discard != nil {
		v.Discarded = &discardView{r.Discard.Reason, r.Discard.By, moment(r.Discard.At)}
	}
	return v
}

// viewOfAnswer is nil where nothing answered.
func viewOfAnswer(r sink.Receipt) *deliveryEcho {
	if r.Status == 0 && r.Body == "" && r.Ref == "" && len(r.Header) == 0 {
		return nil
	}
	return &deliveryEcho{r.Status, r.Header, r.Body, r.Ref}
}

func (s *Server) viewOfDeliveryDetail(r sink.Record) deliveryDetail {
	d := deliveryDetail{deliveryView: viewOfDelivery(r), Row: r.Row, Data: r.Data, RowError: r.Fault, Outputs: []deliveryOutput{}, Tries: []tryView{}, Spent: r.Spent}
	for _, o := range r.Outputs {
		if o.Hash != "" {
			o.URL = s.imageURL(o.Hash, o.Ext)
		}
		d.Outputs = append(d.Outputs, deliveryOutput{o})
	}
	for _, one := range r.Tries {
		d.Tries = append(d.Tries, tryView{
			Attempt: one.Number, At: moment(one.At), DurationMs: float64(one.Took.Microseconds()) / 1000,
			OK: one.Error == "", Error: one.Error, Answer: viewOfAnswer(one.Receipt),
		})
	}
	return d
}

// seenDeliveries is what the asker may see of deliveries; nil: all. Those to a
// subscription are seen by whoever sees that.
func (s *Server) seenDeliveries(ctx context.Context) (*sink.Seen, error) {
	p := asker(ctx)
	if len(p.templates) == 0 && p.may(RendersRead) {
		return nil, nil
	}
	all, err := s.deps.Subscriptions.Subscriptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up the subscriptions: %w", err)
	}
	seen := &sink.Seen{}
	for _, b := range s.deps.ConfiguredFunc() {
		if p.uses(b.Template) {
			seen.Bindings = append(seen.Bindings, b.Name)
		}
	}
	if p.may(RendersRead) {
		seen.Templates = p.templates
	}
	for _, one := range all {
		if p.hears(one) {
			seen.Subscriptions = append(seen.Subscriptions, one.ID)
		}
	}
	return seen, nil
}

// deliveryStates are those that can be asked for.
var deliveryStates = []string{sink.Waiting, sink.Claimed, sink.Delivered, sink.Dead, sink.Superseded, sink.Discarded}

// deliveryFilter reads which deliveries a query asks for.
func (s *Server) deliveryFilter(r *http.Request) (sink.Selection, error) {
	q := r.URL.Query()
	f := sink.Selection{
		Sink: q.Get("sink"), Binding: q.Get("binding"), Job: q.Get("job"), State: q.Get("state"), Event: q.Get("event"), Cause: q.Get("cause"),
	}
	if f.State != "" && !slices.Contains(deliveryStates, f.State) {
		p := problem.New(problem.Invalid, "there is no state %q of a delivery", f.State).WithSlug("out_of_range").At("state")
		return f, p.WithHint("it is one of %s", strings.Join(deliveryStates, ", "))
	}
	var err error
	if f.Seen, err = s.seenDeliveries(r.Context()); err != nil {
		return f, err
	}
	if f.Key, err = keyOfDelivery(q.Get("key"), f.Job); err != nil {
		return f, err
	}
	f.Since, err = sinceOf(q.Get("since"), time.Now())
	return f, err
}

// keyOfDelivery is a row's key as deliveries have it: canonical, of a job as it was sent.
func keyOfDelivery(key, job string) (string, error) {
	if key == "" || job != "" {
		return key, nil
	}
	normal, err := bindings.NormalKey(key)
	if err != nil {
		return "", problem.New(problem.Invalid, "%q is not a key: %w", key, err).WithSlug("bad_key").At("key")
	}
	return normal, nil
}

// sinceOf is a moment that has passed, as in ?since=. "" is none.
func sinceOf(text string, now time.Time) (time.Time, error) {
	at, err := momentOf("since", text, now)
	if err == nil && at.After(now) {
		return at, problem.New(problem.Invalid, "since is %s, which is to come", at.UTC().Format(time.RFC3339)).WithSlug("out_of_range").At("since").
			WithHint("the clock here says %s", now.UTC().Format(time.RFC3339))
	}
	return at, err
}

// momentOf reads a moment: a time of RFC 3339, a day, or how long ago, as in 2h or
// 7d. "" is none.
func momentOf(name, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		var ago config.Duration
		if ago, err = config.ParseDuration(text); err == nil {
			at = now.Add(-ago.Std())
		}
	}
	if err != nil {
		return at, problem.New(problem.Invalid, "%s is %q, it must be a time", name, text).WithSlug("out_of_range").At(name).
			WithHint("as in 2026-10-01T08:00:00Z, 2026-10-01, or 2h for how long ago")
	}
	return at, nil
}

func (s *Server) listDeliveries(w http.ResponseWriter, r *http.Request) error {
	limit, err := intParam(r, "limit", defaultPage, 1, maxPage)
	if err != nil {
		return err
	}
	f, err := s.deliveryFilter(r)
	if err != nil {
		return err
	}
	after, err := readPlace(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	found, err := s.deps.Deliveries.Deliveries(r.Context(), f, after, limit)
	if err != nil {
		return fmt.Errorf("list deliveries: %w", err)
	}
	if len(found) == 0 && after.ID == "" {
		if err := s.misnamed(r.Context(), f); err != nil {
			return err
		}
	}
	page := deliveryPage{Deliveries: []deliveryView{}}
	for _, one := range found {
		page.Deliveries = append(page.Deliveries, viewOfDelivery(one))
	}
	if len(found) == limit {
		last := found[limit-1]
		page.Next = strconv.FormatInt(last.CreatedAt.UnixMilli(), 10) + "." + last.ID
	}
	return answer(w, http.StatusOK, page)
}

// A deliveryPage is a page of deliveries.
type deliveryPage struct {
	Deliveries []deliveryView `json:"deliveries"`
	Next       string         `json:"next,omitempty"` // the after of the next page
}

// readPlace reads where the page before ended.
func readPlace(text string) (sink.Place, error) {
	if text == "" {
		return sink.Place{}, nil
	}
	at, id, _ := strings.Cut(text, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" {
		return sink.Place{}, problem.New(problem.Invalid, "after is %q, it must be the next of the page before", text).WithSlug("out_of_range").At("after")
	}
	return sink.Place{At: time.UnixMilli(ms), ID: id}, nil
}

// misnamed says which name of a filter that takes nothing there is not, and which
// was most likely meant.
func (s *Server) misnamed(ctx context.Context, f sink.Selection) error {
	if f.Binding != "" {
		if b, ok := s.configured(f.Binding); !ok || !asker(ctx).uses(b.Template) {
			return s.noBinding(f.Binding)
		}
	}
	if f.Sink != "" {
		return s.receiverThere(ctx, f.Sink)
	}
	return nil
}

// receiverThere says that there is no such sink or subscription any more. The
// webhook of a job is there as long as its deliveries are.
func (s *Server) receiverThere(ctx context.Context, name string) error {
	if id, ok := strings.CutPrefix(name, sink.ToSubscription); ok {
		_, err := s.subscriptionOf(ctx, id)
		return err
	}
	if strings.Contains(name, ":") {
		return nil
	}
	return s.sinkThere(ctx, name)
}

func (s *Server) showDelivery(w http.ResponseWriter, r *http.Request) error {
	return s.answerDelivery(w, r, http.StatusOK)
}

// deliveryOf is the delivery of the path, if the asker may see it.
func (s *Server) deliveryOf(r *http.Request) (sink.Record, error) {
	seen, err := s.seenDeliveries(r.Context())
	if err != nil {
		return sink.Record{}, err
	}
	return s.deps.Deliveries.Delivery(r.Context(), r.PathValue("id"), seen)
}

// replayDelivery has one delivery tried again.
func (s *Server) replayDelivery(w http.ResponseWriter, r *http.Request) error {
	d, err := s.deliveryOf(r)
	if err == nil {
		err = s.sinkStill(r.Context(), d.Sink)
	}
	if err == nil {
		err = s.deps.Deliveries.ReplayOne(r.Context(), d.ID)
	}
	if err != nil {
		return fmt.Errorf("replay delivery: %w", err)
	}
	return s.answerDelivery(w, r, http.StatusAccepted)
}

func (s *Server) answerDelivery(w http.ResponseWriter, r *http.Request, status int) error {
	d, err := s.deliveryOf(r)
	if err != nil {
		return fmt.Errorf("read delivery: %w", err)
	}
	return answer(w, status, map[string]any{"delivery": s.viewOfDeliveryDetail(d)})
}

// A discardRequest is why a dead letter is given up.
type discardRequest struct {
	Reason string `json:"reason"`
}

// discardDelivery gives one dead letter up.
func (s *Server) discardDelivery(w http.ResponseWriter, r *http.Request) error {
	var body discardRequest
	if err := decodeBody(w, r, replayBody, &body, `{"reason": "the shop is closed"}`); err != nil {
		return err
	}
	reason, err := reasonOf(body.Reason)
	if err != nil {
		return err
	}
	by, err := authorOf(r, "")
	if err != nil {
		return err
	}
	d, err := s.deliveryOf(r)
	if err == nil {
		err = s.deps.Deliveries.DiscardOne(r.Context(), d.ID, reason, by)
	}
	if err != nil {
		return fmt.Errorf("discard delivery: %w", err)
	}
	return s.answerDelivery(w, r, http.StatusOK)
}

// maxReason is how many letters a reason has at most.
const maxReason = 500

func reasonOf(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", problem.New(problem.Invalid, "a dead letter is discarded for a reason, and there is none").WithSlug(slugNoReason).At("reason").
			WithHint("say why nobody has to be told of it any more")
	case len([]rune(text)) > maxReason:
		return "", problem.New(problem.Invalid, "the reason is longer than %d letters", maxReason).WithSlug("out_of_range").At("reason")
	}
	return text, nil
}

const slugNoReason = "reason_missing"
