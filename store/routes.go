package store

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/sink"
)

// SetSinks says which sinks each binding delivers to, and which events each
// sink wants. It holds for what is planned from then on. In a member the holder's
// routes count: there SetSinks, SetRunSinks and SetSubjects change nothing.
func (s *Store) SetSinks(of map[string][]string, events map[string][]string) {
	s.setRoutes(func(r *routes) { r.of, r.events = of, events })
}

// SetRunSinks says which sinks hear of the runs of each binding.
func (s *Store) SetRunSinks(of map[string][]string) { s.setRoutes(func(r *routes) { r.runs = of }) }

// SetSubjects says what each binding is about, for the filters of subscriptions.
func (s *Store) SetSubjects(of map[string]sink.Subject) {
	s.setRoutes(func(r *routes) { r.subjects = of })
}

func (s *Store) setRoutes(set func(*routes)) {
	if s.member {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.routed)
	s.unpublished = true
}

// routes say who hears of events: the sinks that bindings name, by what each wants,
// and subscriptions.
type routes struct {
	of       map[string][]string
	events   map[string][]string
	runs     map[string][]string // by binding
	subjects map[string]sink.Subject

	subs []*sink.Subscription // oldest first

	at    int64                  // in a member: their revision
	found map[[2]string][]string // by binding and event
}

// publishedRoutes are those that members plan by.
type publishedRoutes struct {
	Of, Events, Runs map[string][]string
	Subjects         map[string]sink.Subject
}

// PublishRoutes has members plan by the routes that were set last. ConfigureSinks and
// Run do it too.
func (s *Store) PublishRoutes(ctx context.Context) error {
	s.mu.Lock()
	r, due := s.routed, s.unpublished
	s.unpublished = false
	s.mu.Unlock()
	if !due || !s.dialect.postgres {
		return nil
	}
	text := encode(publishedRoutes{r.of, r.events, r.runs, r.subjects})
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.alone(ctx); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE ledger_routes SET routes = $1 WHERE routes <> $1`, text)
		if err != nil || n == 0 {
			return err
		}
		return t.raise(ctx, revisionOfRoutes)
	})
	if err != nil {
		s.mu.Lock()
		s.unpublished = true
		s.mu.Unlock()
	}
	return wrap(err, "publish the routes of deliveries")
}

// loadRoutes has what a member plans from then on go by what is committed now.
func (s *Store) loadRoutes(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	var r routes
	var text string
	// The revision first: what is read later may be newer, and is then read again.
	if err := s.reader().row(ctx, routesRevision).Scan(&r.at); err != nil {
		return wrap(err, "read the revision of the routes")
	}
	if err := s.reader().row(ctx, `SELECT routes FROM ledger_routes`).Scan(&text); err != nil {
		return wrap(err, "read the routes of deliveries")
	}
	var p publishedRoutes
	if err := decode(text, &p); err != nil {
		return wrap(err, "read the routes of deliveries")
	}
	r.of, r.events, r.runs, r.subjects = p.Of, p.Events, p.Runs, p.Subjects
	var err error
	if r.subs, err = s.readSubscriptions(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routed = r
	return nil
}

// routes are those of this moment. Subscriptions that are disabled hear of nothing,
// so that nothing gathers for an address that is gone.
func (t *tx) routes(ctx context.Context) (*routes, error) {
	if t.hearing != nil {
		return t.hearing, nil
	}
	t.store.mu.Lock()
	r := t.store.routed
	r.found = map[[2]string][]string{}
	t.store.mu.Unlock()
	if t.store.member && cures.Routes {
		if err := t.still(ctx, r.at); err != nil {
			return nil, err
		}
	}
	t.hearing = &r
	if len(r.subs) == 0 {
		return &r, nil
	}
	disabled, err := collect(ctx, t.reader, `SELECT sink FROM sink_states WHERE substr(sink, 1, 4) = 'sub:' AND disabled_at IS NOT NULL`, nil, text1)
	if len(disabled) > 0 {
		r.subs = slices.DeleteFunc(slices.Clone(r.subs), func(s *sink.Subscription) bool { return slices.Contains(disabled, SinkOfSubscription(s.ID)) })
	}
	return &r, err
}

// to are the sinks of those that hear of an event of a binding.
func (r *routes) to(binding, event string) []string {
	at := [2]string{binding, event}
	names, ok := r.found[at]
	if ok {
		return names
	}
	names = slices.DeleteFunc(slices.Clone(r.of[binding]), func(name string) bool { return !slices.Contains(r.events[name], event) })
	names = append(names, r.subscribed(event, r.subject(binding))...)
	r.found[at] = names
	return names
}

// subscribed are the sinks of the subscriptions that hear of an event.
func (r *routes) subscribed(event string, of sink.Subject) (names []string) {
	for _, s := range r.subs {
		if s.Hears(event, of) {
			names = append(names, SinkOfSubscription(s.ID))
		}
	}
	return names
}

func (r *routes) subject(binding string) sink.Subject {
	of := r.subjects[binding]
	of.Binding = binding
	return of
}

// told is the data of a delivery about a row: its values, and to subscriptions what
// their filters were held against, which stays so however often it is tried.
func (r *routes) told(on thread, values string) string {
	if _, ok := SubscriptionOf(on.sink); !ok {
		return values
	}
	return encode(sink.About{Template: r.subject(on.owner.Binding()).Template})
}

// subjectOf is what the events of a job are about.
func subjectOf(j batch.Job) sink.Subject {
	of := sink.Subject{Template: j.Template}
	if j.Origin != nil {
		of.Binding = j.Origin.Binding
	}
	for _, o := range j.Outputs {
		of.Types = append(of.Types, sink.TypeOf(o.Format))
	}
	return of
}
