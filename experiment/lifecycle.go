package experiment

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Action moves an experiment to another status.
type Action string

// The actions.
const (
	Start      Action = "start" // also after a pause
	Pause      Action = "pause"
	Complete   Action = "complete" // see Finish
	Retire     Action = "retire"   // out of the list; what is in mailboxes is served on
	Reallocate Action = "rollout"  // other weights for new units
)

// The slugs of what stands in the way of a change.
const (
	InvalidTransition = "invalid_transition"
	FrozenField       = "frozen_field"
)

// actions are those that a status allows.
var actions = map[Status][]Action{
	Draft:     {Start},
	Running:   {Pause, Complete, Reallocate},
	Paused:    {Start, Complete, Reallocate, Retire},
	Completed: {Retire},
}

// Actions are those that the experiment allows.
func (e Experiment) Actions() []Action {
	if e.Retired {
		return nil
	}
	return actions[e.Status]
}

// A TransitionError says what an experiment would have allowed.
type TransitionError struct {
	Action  Action
	Status  Status
	Allowed []Action
}

func (t *TransitionError) Error() string {
	words := make([]string, len(t.Allowed))
	for i, a := range t.Allowed {
		words[i] = string(a)
	}
	if len(words) == 0 {
		return fmt.Sprintf("a %s experiment can't %s, and nothing else either", t.Status, t.Action)
	}
	return fmt.Sprintf("a %s experiment can't %s, only %s", t.Status, t.Action, strings.Join(words, ", "))
}

// May is whether the experiment allows the action. The problem is of code Conflict and
// wraps a TransitionError.
func (e Experiment) May(action Action) error {
	if slices.Contains(e.Actions(), action) {
		return nil
	}
	refused := &TransitionError{action, e.Status, e.Actions()}
	p := problem.New(problem.Conflict, "%w", refused).WithSlug(InvalidTransition)
	switch {
	case e.Retired:
		return p.WithHint("it was retired, and only its slug lives on")
	case e.Status == Completed:
		return p.WithHint("its slug serves the winner for ever; make another experiment")
	case e.Status == Running && action == Retire:
		return p.WithHint("pause or complete it before")
	}
	return p
}

// Move is the experiment after start, pause or retire at now. Complete takes Finish, and
// Reallocate takes weights: Rebalance.
func Move(e Experiment, action Action, now time.Time) (Experiment, error) {
	if err := e.May(action); err != nil {
		return e, err
	}
	switch action {
	case Start:
		if e.StartedAt.IsZero() {
			e.StartedAt = now
		}
		e.Status, e.Since = Running, now
		e.Weights = slices.Clone(e.Shares())
	case Pause:
		e.Status, e.ReadySince = Paused, time.Time{}
		e.Ran, e.Since = e.RanFor(now), time.Time{}
	case Retire:
		if e.Status != Completed {
			e = finish(e, e.ControlVariant(), now)
		}
		e.Retired = true
	case Complete, Reallocate:
		return e, fmt.Errorf("move an experiment: %s says more than a move", action)
	}
	return e, nil
}

// Finish is the experiment with a winner, which has all of the traffic from now on.
func Finish(e Experiment, winner string, now time.Time) (Experiment, error) {
	if err := e.May(Complete); err != nil {
		return e, err
	}
	if _, _, ok := e.Variant(winner); !ok {
		return e, problem.New(problem.Invalid, "there is no variant %q", winner).At("winnerVariantId").WithHint("the variants are %s", strings.Join(e.variantIDs(), ", "))
	}
	return finish(e, winner, now), nil
}

func finish(e Experiment, winner string, now time.Time) Experiment {
	e.Status, e.Winner, e.EndedAt = Completed, winner, now
	e.Ran, e.Since = e.RanFor(now), time.Time{}
	e.Weights = make([]int, len(e.Variants))
	if _, i, ok := e.Variant(winner); ok {
		e.Weights[i] = Whole
	}
	return e
}

// Rebalance is the experiment with other weights for new units, in the order of the
// variants.
func Rebalance(e Experiment, weights []int) (Experiment, error) {
	if err := e.May(Reallocate); err != nil {
		return e, err
	}
	sum := 0
	for i, w := range weights {
		if w < 0 || w > Whole {
			return e, problem.New(problem.Invalid, "the weight is %d, and goes from 0 to %d (basis points)", w, Whole).At(fmt.Sprintf("weights[%d]", i))
		}
		sum += w
	}
	switch {
	case e.Type != ABTest:
		return e, problem.New(problem.Invalid, "only an %s has weights", ABTest).At("weights")
	case len(weights) != len(e.Variants):
		return e, problem.New(problem.Invalid, "there are %d weights, and %d variants", len(weights), len(e.Variants)).At("weights")
	case sum != Whole:
		return e, problem.New(problem.Invalid, "the weights sum to %d, and must sum to %d (basis points)", sum, Whole).At("weights")
	}
	e.Weights = slices.Clone(weights)
	return e, nil
}

func (d Definition) variantIDs() []string {
	ids := make([]string, len(d.Variants))
	for i, v := range d.Variants {
		ids[i] = v.ID
	}
	return ids
}

// CheckChange is what must not change any more of an experiment, because what was
// measured before could not be compared with what is measured then; nil where
// everything may. A draft may become anything, and one that ran only get another name,
// hypothesis, confidence, number of days, destination, and a higher coverage. Both are
// completed definitions.
func CheckChange(before Experiment, after Definition) problem.List {
	if before.Status == Draft {
		return nil
	}
	was := before.Definition
	was.Name, was.Hypothesis, was.Goal.DestinationURL = after.Name, after.Hypothesis, after.Goal.DestinationURL
	was.ConfidenceThreshold, was.MinimumRunDays = after.ConfidenceThreshold, after.MinimumRunDays
	var found problem.List
	if before.Status != Completed && after.Coverage >= was.Coverage {
		was.Coverage = after.Coverage
	}
	for _, path := range differences("", tree(was), tree(after)) {
		p := problem.New(problem.Conflict, "it can't be changed any more: the experiment is %s", before.Status).WithSlug(FrozenField).At(path)
		switch {
		case path == "coverage" && before.Status != Completed:
			p = p.WithHint("it can only be raised above %d, so that nobody is shown another variant than before", before.Coverage)
		case strings.HasSuffix(path, ".weight"):
			p = p.WithHint("POST /experiments/{id}/rollout moves the weights of new units")
		default:
			p = p.WithHint("make another experiment; what may change still are name, hypothesis, confidenceThreshold, minimumRunDays, goalConfig.destinationUrl, and coverage upwards")
		}
		found = append(found, p)
	}
	return found
}

// tree is v as JSON has it.
func tree(v any) (t any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		panic(fmt.Sprintf("write a definition: %v", err)) // it was read from JSON or YAML
	}
	return t
}

// differences are the paths at which two trees differ.
func differences(path string, a, b any) (paths []string) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			names := maps.Clone(a)
			maps.Copy(names, b)
			for _, name := range slices.Sorted(maps.Keys(names)) {
				paths = append(paths, differences(strings.TrimPrefix(path+"."+name, "."), a[name], b[name])...)
			}
			return paths
		}
	case []any:
		if b, ok := b.([]any); ok && len(a) == len(b) {
			for i := range a {
				paths = append(paths, differences(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])...)
			}
			return paths
		}
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	return []string{path}
}
