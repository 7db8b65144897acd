package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// maxTarget is how long the address of a subscription may be.
const maxTarget = 2048

const likeSubscription = `{"event": "render.completed", "targetUrl": "https://hooks.example/1", "filters": {"bindingId": "product-cards"}}`

// A subscriptionOrder is what a webhook subscription shall be like.
type subscriptionOrder struct {
	Event     eventName     `json:"event,omitempty"`
	Events    []eventName   `json:"events,omitempty"` // in place of event: several
	TargetURL *string       `json:"targetUrl,omitempty"`
	Platform  *platformName `json:"platform,omitempty"` // who receives, for people; custom
	Filters   *filterView   `json:"filters,omitempty"`
}

// readSubscription reads a body into s. Of a whole one nothing may be missing; of
// another one, what is not sent stays as it is.
func (s *Server) readSubscription(w http.ResponseWriter, r *http.Request, to *sink.Subscription, whole bool) error {
	var o subscriptionOrder
	if err := decodeBody(w, r, replayBody, &o, likeSubscription); err != nil {
		return err
	}
	var problems problem.List
	problems = append(problems, o.readEvents(to, whole)...)
	switch {
	case o.TargetURL == nil && whole:
		problems = append(problems, problem.New(problem.Invalid, "a subscription has an address").WithSlug("required").At("targetUrl").WithHint("the body is like %s", likeSubscription))
	case o.TargetURL != nil:
		if p := readTarget(*o.TargetURL); p != nil {
			problems = append(problems, p)
		}
		to.URL = *o.TargetURL
	}
	if o.Platform != nil {
		if !slices.Contains(platforms, string(*o.Platform)) {
			problems = append(problems, problem.New(problem.Invalid, "there is no platform %q", *o.Platform).WithSlug("out_of_range").At("platform").
				WithHint("zapier, make, n8n, pipedream or custom"))
		}
		to.Platform = string(*o.Platform)
	}
	if o.Filters != nil {
		to.Filter = sink.Filter{Template: o.Filters.TemplateID, Binding: o.Filters.BindingID, Type: string(o.Filters.Type)}
	}
	problems = append(problems, filterProblems(to)...)
	if err := problems.Err(); err != nil {
		return err
	}
	if err := s.mayHear(r.Context(), to); err != nil {
		return err
	}
	return s.checkTarget(r.Context(), to.URL, "targetUrl")
}

// readEvents reads which events are meant, each once and in the order of the list.
func (o subscriptionOrder) readEvents(to *sink.Subscription, whole bool) (problems problem.List) {
	given := o.Events
	switch {
	case o.Event != "" && len(o.Events) > 0:
		return problem.List{problem.New(problem.Invalid, "event and events say the same").WithSlug("given_twice").At("events").WithHint("leave one of them out")}
	case o.Event != "":
		given = []eventName{o.Event}
	case o.Events == nil && !whole:
		return nil
	case len(o.Events) == 0:
		return problem.List{problem.New(problem.Invalid, "a subscription has an event").WithSlug("required").At("event").
			WithHint("the events are %s", strings.Join(sink.Events(), ", "))}
	}
	for _, e := range given {
		if !slices.Contains(sink.Events(), string(e)) {
			at := "event"
			if o.Event == "" {
				at = "events"
			}
			problems = append(problems, noEvent(string(e), at))
		}
	}
	to.Events = slices.DeleteFunc(sink.Events(), func(e string) bool { return !slices.Contains(given, eventName(e)) })
	return problems
}

func noEvent(event, at string) *problem.Error {
	p := problem.New(problem.Invalid, "there is no event %q", event).WithSlug("out_of_range").At(at)
	if near, ok := config.Nearest(event, sink.Events()); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("the events are %s", strings.Join(sink.Events(), ", "))
}

// readTarget says what is wrong with an address, before anybody looks where it leads.
func readTarget(address string) *problem.Error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return problem.New(problem.Invalid, "a subscription has an address").WithSlug("required").At("targetUrl")
	case len(address) > maxTarget:
		return problem.New(problem.Invalid, "the address is longer than %d bytes", maxTarget).WithSlug("too_long").At("targetUrl")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return problem.New(problem.Invalid, "targetUrl is not an http or https address").WithSlug("invalid_format").At("targetUrl")
	case u.User != nil:
		return problem.New(problem.Invalid, "the address has a name or a password in it, which would be shown").WithSlug("invalid_format").At("targetUrl").
			WithHint("what is sent is signed: the receiver knows it by its signature")
	case u.Fragment != "":
		return problem.New(problem.Invalid, "the address has a part behind #, which is never sent").WithSlug("invalid_format").At("targetUrl").WithHint("leave it out")
	}
	return nil
}

// filterProblems are those of a filter that can take nothing.
func filterProblems(s *sink.Subscription) (problems problem.List) {
	if f := s.Filter.Type; f != "" && !slices.Contains(sink.Types(), f) {
		problems = append(problems, problem.New(problem.Invalid, "there is no type %q of pictures", f).WithSlug("out_of_range").At("filters.type").
			WithHint("the types are %s", strings.Join(sink.Types(), ", ")))
	}
	for _, e := range s.Events {
		if s.Filter.Binding != "" && (e == sink.BatchCompleted || e == sink.BatchFailed) {
			problems = append(problems, problem.New(problem.Invalid, "%s is never about a binding", e).WithSlug("out_of_range").At("filters.bindingId").
				WithHint("leave one of them out; the runs of a binding are told of as %s", sink.RunCompleted))
		}
		if s.Filter.Binding != "" && sink.OfExperiment(e) {
			problems = append(problems, problem.New(problem.Invalid, "%s is never about a binding", e).WithSlug("out_of_range").At("filters.bindingId").
				WithHint("leave one of them out; filters.templateId leaves out experiments without that template"))
		}
	}
	return problems
}

// mayHear refuses filters that name what there is not, or what the asker may not see.
func (s *Server) mayHear(ctx context.Context, of *sink.Subscription) error {
	p := asker(ctx)
	if name := of.Filter.Template; name != "" {
		if !p.uses(name) {
			return problem.New(problem.Forbidden, "the key %q is not for the template %q", p.name, name).WithSlug(slugScope).At("filters.templateId")
		}
		if _, err := s.deps.Templates.Template(ctx, name, 0); problem.CodeOf(err) == problem.NotFound {
			return problem.New(problem.Invalid, "there is no template %q", name).WithSlug(slugTemplateNotFound).At("filters.templateId").WithHint("GET /templates lists them")
		} else if err != nil {
			return err
		}
	}
	name := of.Filter.Binding
	if name == "" {
		return nil
	}
	b, ok := s.configured(name)
	if !ok || !p.uses(b.Template) {
		return problem.New(problem.Invalid, "there is no binding %q", name).WithSlug(slugBindingNotFound).At("filters.bindingId").WithHint("GET /bindings lists them")
	}
	if t := of.Filter.Template; t != "" && t != b.Template {
		return problem.New(problem.Invalid, "the binding %q is of the template %q, so that nothing would be heard", name, b.Template).
			WithSlug("out_of_range").At("filters.templateId").WithHint("leave one of them out")
	}
	return nil
}
