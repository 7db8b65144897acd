package api

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// stateWords are the words for how something goes, the worst first; what a person
// has stopped is no fault, and comes last but for what is well.
var stateWords = []string{connectors.StateError, connectors.StateWarn, connectors.StatePaused, connectors.StateOK}

const (
	maxAttention = 50
	// jobsOf is for how long a job that ended with failed rows asks for attention.
	jobsOf = 24 * time.Hour
)

// A healthView is how everything goes, in one sentence.
type healthView struct {
	Level    string `json:"level"` // ok, warn, error, paused
	Sentence string `json:"sentence"`
}

// An attentionView is something that wants a person: what, why, and what to do.
type attentionView struct {
	ID      string      `json:"id"`    // the same as long as it is the same matter
	Level   string      `json:"level"` // error, warn, paused
	Subject subjectView `json:"subject"`
	Title   string      `json:"title"`
	Cause   string      `json:"cause"`
	Next    string      `json:"next"`
	Link    string      `json:"link"`             // a path of the studio
	Action  *actionView `json:"action,omitempty"` // that may be the next step
	Affects []string    `json:"affects,omitempty"`
}

// A subjectView is what something is about.
type subjectView struct {
	Kind string `json:"kind"` // binding, source, sink, job, experiment, system
	Name string `json:"name"`
}

// An actionView is a request that does something about it.
type actionView struct {
	Label   string         `json:"label"`
	Method  string         `json:"method"`
	Path    string         `json:"path"` // of the API
	Body    map[string]any `json:"body,omitempty"`
	Confirm string         `json:"confirm,omitempty"` // what to ask a person before
}

// An outlook is all that the health is judged by, at one moment.
type outlook struct {
	now      time.Time
	ready    error // why the daemon can't do its work
	load     Load
	bindings []bindingView
	own      map[string]connectors.Health // of bindings, whatever their sources are
	sources  map[string]connectors.Health
	sinks    []Connection
	jobs     []jobView
	failing  []FailingVariant
}

// judge says how everything goes in one sentence, and what wants a person, the worst
// first. It asks nobody, so that it is as current as o.
func judge(o outlook) (healthView, []attentionView) {
	var all []attentionView
	all = append(all, o.ofSystem()...)
	all = append(all, o.ofSources()...)
	all = append(all, o.ofBindings()...)
	all = append(all, o.ofSinks()...)
	all = append(all, o.ofJobs()...)
	all = append(all, o.ofVariants()...)
	slices.SortStableFunc(all, func(a, b attentionView) int {
		return cmp.Compare(slices.Index(stateWords, a.Level), slices.Index(stateWords, b.Level))
	})
	return o.sentence(all), all
}

// sentence is the health: the worst matter, or that there is none.
func (o outlook) sentence(all []attentionView) healthView {
	faults := 0
	for _, a := range all {
		if a.Level != connectors.StatePaused {
			faults++
		}
	}
	switch {
	case faults == 1:
		return healthView{all[0].Level, all[0].Title + ": " + all[0].Cause}
	case faults > 1:
		return healthView{all[0].Level, fmt.Sprintf("%d things need attention, first %s: %s", faults, all[0].Title, all[0].Cause)}
	case len(o.bindings) == 0 && len(o.jobs) == 0:
		return healthView{connectors.StateOK, "All is well: nothing is configured yet, and nothing waits"}
	}
	paused := 0
	for _, b := range o.bindings {
		if b.Freshness != nil && b.Freshness.State == connectors.StatePaused {
			paused++
		}
	}
	if paused > 0 && paused == len(o.bindings) {
		return healthView{connectors.StatePaused, are(paused, "binding") + " paused: images stay as they are"}
	}
	said := "All is well: " + are(len(o.bindings)-paused, "binding") + " current"
	if paused > 0 {
		said += fmt.Sprintf(", %d paused", paused)
	}
	queue := viewOfQueue(o.load)
	switch {
	case queue.Depth == 0:
		said += ", nothing waits"
	case queue.ETASeconds != nil:
		said += fmt.Sprintf(", %s to draw, about %s left", countOf(int(queue.Depth), "image"), roughly(time.Duration(*queue.ETASeconds)*time.Second))
	default:
		said += fmt.Sprintf(", %s to draw", countOf(int(queue.Depth), "image"))
	}
	return healthView{connectors.StateOK, said}
}

// ofSystem is what the daemon itself lacks.
func (o outlook) ofSystem() (all []attentionView) {
	add := func(name, level, title string, err error, next string) {
		p := problem.All(err)[0]
		cause := p.Message
		if p.Code == problem.Internal {
			cause = "something inside pictifyd went wrong"
			next = "see its log"
		}
		all = append(all, attentionView{
			ID: "system/" + name, Level: level, Subject: subjectView{"system", name}, Title: title, Cause: cause, Next: cmp.Or(p.Hint, next), Link: "/system",
		})
	}
	if o.load.Disk.Low != nil {
		add("disk", connectors.StateError, "disk", o.load.Disk.Low, "make room")
	} else if o.ready != nil {
		add("ready", connectors.StateError, "pictifyd is not ready", o.ready, "see its log")
	}
	if c := o.load.Chrome; c != nil && c.Failed > 0 && o.ready == nil {
		add("chrome", connectors.StateWarn, "Chrome", problem.New(problem.Surroundings, "%d of %d did not start: %s", c.Failed, c.Size, c.Error), "run pictifyd doctor, and do what it says")
	}
	return all
}

func (o outlook) ofSources() (all []attentionView) {
	users := map[string][]string{}
	for _, b := range o.bindings {
		users[b.Source] = append(users[b.Source], b.Name)
	}
	for _, name := range sortedNames(o.sources) {
		h := o.sources[name]
		if h.State != connectors.StateWarn && h.State != connectors.StateError {
			continue
		}
		a := attentionView{
			ID: "source/" + name, Level: h.State, Subject: subjectView{kindSource, name}, Title: "source " + name, Cause: h.Cause, Next: h.Next,
			Link: "/sources/" + url.PathEscape(name), Affects: users[name],
		}
		if len(a.Affects) > 0 {
			a.Action = &actionView{Label: "Read now", Method: "POST", Path: "/bindings/" + url.PathEscape(a.Affects[0]) + "/refresh"}
		}
		all = append(all, a)
	}
	return all
}

// ofBindings is what is wrong with bindings themselves: what is wrong with their
// sources is told once for all of them.
func (o outlook) ofBindings() (all []attentionView) {
	for _, b := range o.bindings {
		h := o.own[b.Name]
		if h.State == connectors.StateOK || h.State == "" {
			continue
		}
		path := "/bindings/" + url.PathEscape(b.Name)
		a := attentionView{
			ID: "binding/" + b.Name, Level: h.State, Subject: subjectView{kindBinding, b.Name}, Title: "binding " + b.Name, Cause: h.Cause, Next: h.Next, Link: path,
		}
		switch {
		case h.State == connectors.StatePaused:
			a.Action = &actionView{Label: "Resume", Method: "POST", Path: path + "/resume"}
		case h.State == connectors.StateWarn && b.Held != nil:
			a.Link = path + "/guard"
			a.Action = &actionView{
				Label: "Let through", Method: "POST", Path: path + "/guard/accept", Body: map[string]any{"changes": b.Held.Changes, "removals": b.Held.Removals},
				Confirm: fmt.Sprintf("Let %s and %s of %s through?", countOf(int(b.Held.Changes), "change"), countOf(int(b.Held.Removals), "removal"), b.Name),
			}
		case h.State == connectors.StateWarn && b.Failed > 0:
			a.Link = path + "/rows?show=failed"
		}
		all = append(all, a)
	}
	return all
}

func (o outlook) ofSinks() (all []attentionView) {
	for _, c := range o.sinks {
		h, link := healthOfSink(c, viewOfFlow(c.Flow))
		if h.State == connectors.StateOK {
			continue
		}
		path := "/sinks/" + url.PathEscape(c.Name)
		a := attentionView{
			ID: "sink/" + c.Name, Subject: subjectView{kindSink, c.Name}, Title: "sink " + c.Name, Link: link, Affects: c.UsedBy,
			Level: h.State, Cause: h.Cause, Next: h.Next,
		}
		switch {
		case c.Error != nil:
		case c.Flow.State == "disabled":
			a.Action = &actionView{Label: "Resume", Method: "POST", Path: path + "/resume"}
		case c.Flow.State == "paused":
			a.Cause += ", " + waiting(c.Flow.Left.Waiting)
			a.Action = &actionView{Label: "Resume", Method: "POST", Path: path + "/resume"}
		case c.Flow.State == "failing" || c.Flow.State == "resting":
			a.Cause += ", " + waiting(c.Flow.Left.Waiting)
			a.Action = &actionView{Label: "Test", Method: "POST", Path: path + "/test"}
		default:
			a.Action = &actionView{
				Label: "Replay all", Method: "POST", Path: "/dead-letters/replay", Body: map[string]any{"sink": c.Name},
				Confirm: fmt.Sprintf("Tell %s again of %s?", c.Name, h.Cause),
			}
		}
		all = append(all, a)
	}
	return all
}

func (o outlook) ofJobs() (all []attentionView) {
	for _, j := range o.jobs {
		a := attentionView{
			ID: "job/" + j.JobID, Subject: subjectView{"job", j.JobID}, Title: "job " + j.JobID, Link: "/jobs/" + url.PathEscape(j.JobID),
		}
		recent := j.CompletedAt != nil && o.now.Sub(*j.CompletedAt) < jobsOf
		switch {
		case j.Status == batch.Paused:
			a.Level, a.Cause, a.Next = connectors.StatePaused, fmt.Sprintf("it is paused, %d of %s have ended", j.Completed+j.Failed, countOf(int(j.TotalItems), "row")), "resume or cancel it"
			a.Action = &actionView{Label: "Resume", Method: "POST", Path: a.Link + "/resume"}
		case recent && j.Failed > 0 && (j.Status == batch.Failed || j.Status == batch.Partial):
			a.Level, a.Cause, a.Next = connectors.StateWarn, fmt.Sprintf("%d of %s failed", j.Failed, countOf(int(j.TotalItems), "row")), "see their errors, then retry the failed rows"
			if slices.Contains(j.Moves, batch.MoveRetry) {
				a.Action = &actionView{Label: "Retry failed", Method: "POST", Path: a.Link + "/retry", Confirm: fmt.Sprintf("Try %s again?", countOf(int(j.Failed), "failed row"))}
			}
		case recent && j.Status == batch.Failed:
			a.Level, a.Cause, a.Next = connectors.StateWarn, "it failed as a whole", "see why, and send it again"
		default:
			continue
		}
		all = append(all, a)
	}
	return all
}

// ofVariants are those for which their fallback stands.
func (o outlook) ofVariants() (all []attentionView) {
	for _, f := range o.failing {
		all = append(all, attentionView{
			ID: "experiment/" + f.Experiment + "/" + f.Variant, Level: connectors.StateError, Subject: subjectView{"experiment", f.Slug},
			Title: fmt.Sprintf("variant %s of experiment %s", f.Variant, f.Slug),
			Cause: fmt.Sprintf("its picture cannot be shown (%s), and the fallback stood for it %s", f.Why, times(f.Shown)),
			Next:  "see whether it is made again by itself; otherwise complete the experiment, for its arms are not alike any more",
			Link:  "/experiments/" + url.PathEscape(f.Experiment),
		})
	}
	return all
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func waiting(n int64) string {
	if n == 1 {
		return "1 delivery waits"
	}
	return fmt.Sprintf("%d deliveries wait", n)
}

// countOf is a number with its noun.
func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func are(n int, noun string) string {
	if n == 1 {
		return countOf(n, noun) + " is"
	}
	return countOf(n, noun) + " are"
}

// roughly is a time as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return countOf(max(int(d.Round(time.Second)/time.Second), 1), "second")
	case d < 90*time.Minute:
		return countOf(int(d.Round(time.Minute)/time.Minute), "minute")
	case d < 36*time.Hour:
		return countOf(int(d.Round(time.Hour)/time.Hour), "hour")
	}
	return countOf(int(d.Round(24*time.Hour)/(24*time.Hour)), "day")
}

func sortedNames[T any](of map[string]T) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
