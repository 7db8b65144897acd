package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// Subscriptions keeps the webhooks that callers subscribe to events.
type Subscriptions interface {
	// Subscriptions are all that there are, oldest first.
	Subscriptions(ctx context.Context) ([]Subscription, error)
	// LastDeliveries are the newest tries of subscriptions, by id.
	LastDeliveries(ctx context.Context, ids []string) (map[string]LastDelivery, error)
	// Subscribe keeps a subscription and makes its secret. Where its key has one that
	// is the same, that one is returned, without a secret.
	Subscribe(ctx context.Context, s sink.Subscription, most Limits) (kept sink.Subscription, secret string, err error)
	// ChangeSubscription changes all but the secret of one that is at the revision of s.
	ChangeSubscription(ctx context.Context, s sink.Subscription) error
	// Unsubscribe deletes one: what it was not told yet is never told.
	Unsubscribe(ctx context.Context, id string) error
	// PauseSubscription has what is to be told wait, or go on.
	PauseSubscription(ctx context.Context, id string, paused bool) error
	// RotateSecret makes another secret. The one before signs as well for a while.
	RotateSecret(ctx context.Context, id string) (secret string, err error)
	// TestSubscription sends one test event.
	TestSubscription(ctx context.Context, id, event string) (SinkTest, error)
}

// The states of a subscription.
const (
	subscriptionActive   subscriptionStatus = "active"
	subscriptionPaused   subscriptionStatus = "paused"
	subscriptionDisabled subscriptionStatus = "disabled"
)

// A subscriptionStatus says whether a subscription is told.
type subscriptionStatus string

type (
	eventName    string
	platformName string
	pictureType  string
)

// platforms are the words for who receives.
var platforms = []string{"zapier", "make", "n8n", "pipedream", anyPlatform}

const anyPlatform = "custom"

// A Subscription is a webhook with how it fares.
type Subscription struct {
	sink.Subscription
	Paused       bool
	DisabledAt   time.Time // zero: it is not
	Reason       string    // of that
	FailingSince time.Time // nothing has arrived since
}

// A LastDelivery is the newest try of a subscription.
type LastDelivery struct {
	ID, Event string
	State     string // delivered, waiting, claimed, dead
	At        time.Time
	Took      time.Duration
	Code      int // that was answered; 0: none
	Attempts  int64
	Error     string
	DueAt     time.Time // when it is tried again, where it is
}

// A subscriptionView is a webhook subscription as it is shown.
type subscriptionView struct {
	ID           string             `json:"id"`
	Event        eventName          `json:"event"` // the first of events
	Events       []eventName        `json:"events"`
	TargetURL    string             `json:"targetUrl"`
	Platform     platformName       `json:"platform"`
	Filters      filterView         `json:"filters"`
	Status       subscriptionStatus `json:"status"`
	Reason       string             `json:"reason,omitempty"` // why it is disabled
	FailingSince *time.Time         `json:"failingSince,omitempty"`
	LastDelivery *lastDeliveryView  `json:"lastDelivery"`        // null: nothing was sent yet
	Templates    []string           `json:"templates,omitempty"` // that its key may use, and it hears of; none: all
	Author       string             `json:"author,omitempty"`    // the name of the key that made it
	Revision     int64              `json:"revision"`
	// Until then the secret before the present one signs as well.
	PreviousSecretUntil *time.Time `json:"previousSecretUntil,omitempty"`
	CreatedAt           time.Time  `json:"createdAt"`
	UpdatedAt           time.Time  `json:"updatedAt"`
}

// A filterView says which events are left out.
type filterView struct {
	TemplateID string      `json:"templateId,omitempty"` // only those of this template
	BindingID  string      `json:"bindingId,omitempty"`  // only those of this binding
	Type       pictureType `json:"type,omitempty"`       // only those of rows and batches with an output of this type
}

// A newSubscriptionView is a webhook subscription with its secret.
type newSubscriptionView struct {
	subscriptionView
	Secret string `json:"secret,omitempty"` // it signs what is sent; to be kept by the caller: nobody can be told it again
}

// A lastDeliveryView is the newest try to tell a subscription of something.
type lastDeliveryView struct {
	ID           string     `json:"id"`
	Event        eventName  `json:"event"`
	Status       string     `json:"status"` // delivered, retrying, failed
	Timestamp    time.Time  `json:"timestamp"`
	ResponseCode int        `json:"responseCode,omitempty"`
	Duration     int64      `json:"duration"` // milliseconds
	RetryCount   int64      `json:"retryCount"`
	NextRetry    *time.Time `json:"nextRetry,omitempty"`
	Error        string     `json:"error,omitempty"`
}

func viewOfSubscription(s Subscription, last LastDelivery) subscriptionView {
	v := subscriptionView{
		ID: s.ID, TargetURL: s.URL, Platform: platformName(s.Platform), Filters: filterView{s.Filter.Template, s.Filter.Binding, pictureType(s.Filter.Type)},
		Status: s.status(), Reason: s.Reason, FailingSince: moment(s.FailingSince), Templates: s.Templates, Author: s.Author, Revision: s.Revision,
		CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
	for _, e := range s.Events {
		v.Events = append(v.Events, eventName(e))
	}
	v.Event = v.Events[0]
	if s.PreviousUntil.After(time.Now()) {
		v.PreviousSecretUntil = moment(s.PreviousUntil)
	}
	if !last.At.IsZero() {
		v.LastDelivery = viewOfLast(last)
	}
	return v
}

func (s Subscription) status() subscriptionStatus {
	switch {
	case !s.DisabledAt.IsZero():
		return subscriptionDisabled
	case s.Paused:
		return subscriptionPaused
	}
	return subscriptionActive
}

func viewOfLast(l LastDelivery) *lastDeliveryView {
	v := &lastDeliveryView{
		ID: l.ID, Event: eventName(l.Event), Timestamp: l.At.UTC(), ResponseCode: l.Code, Duration: l.Took.Milliseconds(), RetryCount: max(0, l.Attempts-1), Error: l.Error,
	}
	switch l.State {
	case "delivered":
		v.Status = "delivered"
	case "dead":
		v.Status = "failed"
	default:
		v.Status = "retrying"
		if l.State == "waiting" {
			v.NextRetry = moment(l.DueAt)
		}
	}
	return v
}

// A subscriptionList is a page of webhook subscriptions, oldest first.
type subscriptionList struct {
	Subscriptions []subscriptionView `json:"subscriptions"`
	NextCursor    *string            `json:"nextCursor"` // the cursor of the next page, null at the end
}

// listSubscriptions shows a page of those that the asker may see.
func (s *Server) listSubscriptions(w http.ResponseWriter, r *http.Request) error {
	limit, err := intParam(r, "limit", defaultPage, 1, maxPage)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	event, status := query.Get("event"), subscriptionStatus(query.Get("status"))
	if event != "" && !slices.Contains(sink.Events(), event) {
		return noEvent(event, "event")
	}
	if status != "" && !slices.Contains([]subscriptionStatus{subscriptionActive, subscriptionPaused, subscriptionDisabled}, status) {
		return problem.New(problem.Invalid, "there is no status %q of a subscription", status).WithSlug("out_of_range").At("status").
			WithHint("active, paused or disabled")
	}
	all, err := s.deps.Subscriptions.Subscriptions(r.Context())
	if err != nil {
		return fmt.Errorf("list subscriptions: %w", err)
	}
	if cursor := query.Get("cursor"); cursor != "" {
		at := slices.IndexFunc(all, func(one Subscription) bool { return placeOf(one) > cursor })
		if at < 0 {
			at = len(all)
		}
		all = all[at:]
	}
	all = slices.DeleteFunc(slices.Clone(all), func(one Subscription) bool {
		return !asker(r.Context()).hears(one) || event != "" && !slices.Contains(one.Events, event) || status != "" && one.status() != status
	})
	page := subscriptionList{Subscriptions: []subscriptionView{}}
	if len(all) > limit {
		all = all[:limit]
		cursor := placeOf(all[limit-1])
		page.NextCursor = &cursor
	}
	ids := make([]string, len(all))
	for i, one := range all {
		ids[i] = one.ID
	}
	last, err := s.deps.Subscriptions.LastDeliveries(r.Context(), ids)
	if err != nil {
		return fmt.Errorf("list subscriptions: %w", err)
	}
	for _, one := range all {
		page.Subscriptions = append(page.Subscriptions, viewOfSubscription(one, last[one.ID]))
	}
	return answer(w, http.StatusOK, page)
}

// placeOf is the place of a subscription in the list: text that sorts as they do.
func placeOf(s Subscription) string { return fmt.Sprintf("%015d~%s", s.CreatedAt.UnixMilli(), s.ID) }

// hears reports whether p may see a subscription: one that hears of nothing else
// than p may use.
func (p *principal) hears(s Subscription) bool {
	heard := s.Templates
	if s.Filter.Template != "" {
		heard = []string{s.Filter.Template}
	}
	return len(p.templates) == 0 || len(heard) > 0 && !slices.ContainsFunc(heard, func(name string) bool { return !p.uses(name) })
}

// subscriptionOf is the subscription of the path, if the asker may see it.
func (s *Server) subscriptionOf(ctx context.Context, id string) (Subscription, error) {
	all, err := s.deps.Subscriptions.Subscriptions(ctx)
	if err != nil {
		return Subscription{}, fmt.Errorf("look up the subscription %q: %w", id, err)
	}
	var ids []string
	for _, one := range all {
		if !asker(ctx).hears(one) {
			continue
		}
		if one.ID == id {
			return one, nil
		}
		ids = append(ids, one.ID)
	}
	p := problem.New(problem.NotFound, "there is no webhook subscription %q", id).WithSlug(slugNoSubscription)
	if near, ok := config.Nearest(id, ids); ok {
		return Subscription{}, p.WithHint("did you mean %q?", near)
	}
	return Subscription{}, p.WithHint("GET /webhook-subscriptions lists them")
}

const slugNoSubscription = "subscription_not_found"

func (s *Server) showSubscription(w http.ResponseWriter, r *http.Request) error {
	return s.answerSubscription(w, r, http.StatusOK, r.PathValue("id"), "")
}

// answerSubscription sends one as it is now; with its secret, this once.
func (s *Server) answerSubscription(w http.ResponseWriter, r *http.Request, status int, id, secret string) error {
	one, err := s.subscriptionOf(r.Context(), id)
	if err != nil {
		return err
	}
	last, err := s.deps.Subscriptions.LastDeliveries(r.Context(), []string{id})
	if err != nil {
		return fmt.Errorf("look up the subscription %q: %w", id, err)
	}
	w.Header().Set("ETag", etagOf(one.Revision))
	return answer(w, status, map[string]newSubscriptionView{"subscription": {viewOfSubscription(one, last[id]), secret}})
}

// subscribe makes a subscription, and shows its secret this once. One that is there
// already is answered as it is.
func (s *Server) subscribe(w http.ResponseWriter, r *http.Request) error {
	p := asker(r.Context())
	now := sink.Subscription{Owner: p.id, Author: p.name, Templates: p.templates, Platform: anyPlatform}
	if err := s.readSubscription(w, r, &now, true); err != nil {
		return err
	}
	kept, secret, err := s.deps.Subscriptions.Subscribe(r.Context(), now, s.gate.limits)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	w.Header().Set("Location", "/webhook-subscriptions/"+url.PathEscape(kept.ID))
	if secret == "" {
		return s.answerSubscription(w, r, http.StatusOK, kept.ID, "")
	}
	s.log.Info("subscribed over the API", slog.String("subscription", kept.ID), slog.String("by", p.name))
	return s.answerSubscription(w, r, http.StatusCreated, kept.ID, secret)
}

// replaceSubscription makes it as the body says.
func (s *Server) replaceSubscription(w http.ResponseWriter, r *http.Request) error {
	return s.changeSubscription(w, r, true)
}

// patchSubscription changes what the body names.
func (s *Server) patchSubscription(w http.ResponseWriter, r *http.Request) error {
	return s.changeSubscription(w, r, false)
}

func (s *Server) changeSubscription(w http.ResponseWriter, r *http.Request, whole bool) error {
	revision, err := ifMatch(r)
	if err != nil {
		return err
	}
	one, err := s.subscriptionOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	now := one.Subscription
	if revision > 0 {
		now.Revision = revision
	}
	if whole {
		now.Filter, now.Platform = sink.Filter{}, anyPlatform
	}
	if err := s.readSubscription(w, r, &now, whole); err != nil {
		return err
	}
	if p := asker(r.Context()); !p.hears(Subscription{Subscription: now}) {
		return problem.New(problem.Forbidden, "the key %q is for some templates only, and the subscription would hear of others", p.name).WithSlug(slugScope).At("filters.templateId").
			WithHint("leave the filter as it is")
	}
	if err := s.deps.Subscriptions.ChangeSubscription(r.Context(), now); err != nil {
		return fmt.Errorf("change the subscription %q: %w", now.ID, err)
	}
	s.log.Info("subscription changed over the API", slog.String("subscription", now.ID), slog.String("by", asker(r.Context()).name))
	return s.answerSubscription(w, r, http.StatusOK, now.ID, "")
}

// unsubscribe deletes a subscription.
func (s *Server) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	one, err := s.subscriptionOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.deps.Subscriptions.Unsubscribe(r.Context(), one.ID); err != nil {
		return fmt.Errorf("delete the subscription %q: %w", one.ID, err)
	}
	s.log.Info("unsubscribed over the API", slog.String("subscription", one.ID), slog.String("by", asker(r.Context()).name))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) pauseSubscription(w http.ResponseWriter, r *http.Request) error {
	return s.holdSubscription(w, r, true)
}

func (s *Server) resumeSubscription(w http.ResponseWriter, r *http.Request) error {
	return s.holdSubscription(w, r, false)
}

func (s *Server) holdSubscription(w http.ResponseWriter, r *http.Request, paused bool) error {
	one, err := s.subscriptionOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.deps.Subscriptions.PauseSubscription(r.Context(), one.ID, paused); err != nil {
		return fmt.Errorf("pause or resume the subscription %q: %w", one.ID, err)
	}
	return s.answerSubscription(w, r, http.StatusOK, one.ID, "")
}

// rotateSecret makes another secret, and shows it this once.
func (s *Server) rotateSecret(w http.ResponseWriter, r *http.Request) error {
	one, err := s.subscriptionOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	secret, err := s.deps.Subscriptions.RotateSecret(r.Context(), one.ID)
	if err != nil {
		return fmt.Errorf("rotate the secret of the subscription %q: %w", one.ID, err)
	}
	s.log.Info("secret of a subscription rotated", slog.String("subscription", one.ID), slog.String("by", asker(r.Context()).name))
	return s.answerSubscription(w, r, http.StatusOK, one.ID, secret)
}

// A subscriptionTest says which event to send.
type subscriptionTest struct {
	Event eventName `json:"event,omitempty"` // without it the first of the subscription
}

// testSubscription sends one test event. That it did not arrive is an answer like another.
func (s *Server) testSubscription(w http.ResponseWriter, r *http.Request) error {
	one, err := s.subscriptionOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	order := subscriptionTest{Event: eventName(one.Events[0])}
	if err := decodeBody(w, r, replayBody, &order, `{"event": "render.completed"}`); err != nil {
		return err
	}
	if !slices.Contains(sink.Events(), string(order.Event)) {
		return noEvent(string(order.Event), "event")
	}
	done, err := s.deps.Subscriptions.TestSubscription(r.Context(), one.ID, string(order.Event))
	if err != nil {
		return fmt.Errorf("test the subscription %q: %w", one.ID, err)
	}
	return answer(w, http.StatusOK, s.viewOfTest(one.ID, done))
}
