package store

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/sink"
)

// SetSinks says which sinks each binding delivers to, and which events each
// sink wants. It holds for what is planned from then on.
func (s *Store) SetSinks(of map[string][]string, events map[string][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sinks = routes{of: of, events: events}
}

// SetRunSinks says which sinks hear of the runs of each binding.
func (s *Store) SetRunSinks(of map[string][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runSinks = of
}

// SetSubjects says what each binding is about, for the filters of subscriptions.
func (s *Store) SetSubjects(of map[string]sink.Subject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subjects = of
}

// routes say who hears of events: the sinks that bindings name, by what each wants,
// and subscriptions.
type routes struct {
	of     map[string][]string
	events map[string][]string

	subs     []*sink.Subscription
	subjects map[string]sink.Subject
	found    map[[2]string][]string // by binding and event
}

// routes are those of this moment. Subscriptions that are disabled hear of nothing,
// so that nothing gathers for an address that is gone.
func (t *tx) routes(ctx context.Context) (*routes, error) {
	if t.hearing != nil {
		return t.hearing, nil
	}
	t.store.mu.Lock()
	r := t.store.sinks
	r.subs, r.subjects, r.found = t.store.subs, t.store.subjects, map[[2]string][]string{}
	t.store.mu.Unlock()
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
