package sink

import "slices"

// An ExperimentNews is the data of the events about an experiment.
type ExperimentNews struct {
	Experiment string   `json:"experiment"` // its slug
	ID         string   `json:"experimentId"`
	Name       string   `json:"name"`
	Status     string   `json:"status"`
	Verdict    string   `json:"verdict,omitempty"`
	Reasons    []string `json:"reasons,omitempty"`
	Winner     string   `json:"winner,omitempty"` // the id of a variant
	Forced     bool     `json:"forced,omitempty"` // a person ended it against the numbers
	// Weights are those of new units, in basis points, by the id of the variant, and Why
	// is what moved them: bandit or rollout.
	Weights map[string]int `json:"weights,omitempty"`
	Why     string         `json:"why,omitempty"`
	SRM     float64        `json:"srmP,omitempty"` // how likely such a spread is by chance
	// Of a failing variant: its id, how often its fallback stood for it, and why.
	Variant string `json:"variant,omitempty"`
	Shown   int64  `json:"shown,omitempty"`
	Error   string `json:"error,omitempty"`
}

// HearsExperiment reports whether a subscription is told of an event about an experiment
// whose variants have these templates.
func (s *Subscription) HearsExperiment(event string, templates []string) bool {
	unseen := func(name string) bool { return len(s.Templates) > 0 && !slices.Contains(s.Templates, name) }
	return slices.Contains(s.Events, event) && !slices.ContainsFunc(templates, unseen) &&
		(s.Filter.Template == "" || slices.Contains(templates, s.Filter.Template)) && s.Filter.Binding == ""
}
