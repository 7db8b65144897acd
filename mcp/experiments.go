package mcp

import "context"

var experimentTools = []Tool{
	tool(Tool{
		Name: "list_experiments", Title: "List experiments", Effect: Reads,
		Description: "The experiments: which variants of an image are compared, their status, and the verdict so far.",
		Scopes:      []string{"experiments:read"}, Routes: []string{"GET /experiments"},
		enums: map[string][]string{"status": {"draft", "running", "paused", "completed"}},
	}, plain((*Server).listExperiments)),
	tool(Tool{
		Name: "get_experiment", Title: "Read an experiment", Effect: Reads,
		Description: "One experiment with what its numbers say: exposures, clicks and conversions of each variant, the verdict, its reasons, and what is missing for one.",
		Scopes:      []string{"experiments:read"}, Routes: []string{"GET /experiments/{id}/results"},
	}, plain((*Server).getExperiment)),
}

// An experiment is an experiment without its numbers, and without its write key.
type experiment struct {
	ID         string    `json:"id"`
	Slug       string    `json:"slug"`
	Name       string    `json:"name"`
	Status     string    `json:"status"`
	Type       string    `json:"type"`
	Hypothesis string    `json:"hypothesis,omitempty"`
	Winner     string    `json:"winner,omitempty"`
	StartedAt  *string   `json:"startedAt"`
	EndedAt    *string   `json:"endedAt"`
	RanDays    float64   `json:"ranDays"`
	Variants   []variant `json:"variants"`
	Decision   decision  `json:"decision"`
}

type variant struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Template string `json:"templateUid"`
	Size     string `json:"size,omitempty"`
	Theme    string `json:"theme,omitempty"`
	Weight   int    `json:"weight" jsonschema:"basis points"`
	Default  bool   `json:"isDefault,omitempty" jsonschema:"what all others are compared with"`
}

type decision struct {
	Verdict         string   `json:"verdict"`
	Ready           bool     `json:"ready"`
	Reasons         []string `json:"reasons"`
	SuggestedWinner string   `json:"suggestedWinner,omitempty"`
	DaysLeft        *float64 `json:"daysLeft"`
	Needed          int64    `json:"neededPerVariant"`
}

type experimentList struct {
	Experiments []experiment `json:"experiments"`
	More        int          `json:"more,omitempty" jsonschema:"so many are left out: get_experiment reads one by id or slug"`
}

type listExperimentsIn struct {
	Status string `json:"status,omitempty"`
}

const shownExperiments = 100

func (s *Server) listExperiments(ctx context.Context, in listExperimentsIn) (out experimentList, err error) {
	err = s.ask(ctx, read("experiments").with("status", in.Status), &out)
	if n := len(out.Experiments); n > shownExperiments {
		out.Experiments, out.More = out.Experiments[:shownExperiments], n-shownExperiments
	}
	return out, err
}

type experimentIn struct {
	Experiment string `json:"experiment" jsonschema:"its id or slug"`
}

type experimentResults struct {
	Experiment experiment      `json:"experiment"`
	Decision   decision        `json:"decision"`
	SRM        sampleRatio     `json:"srm" jsonschema:"whether units are spread as the weights say; where not, the numbers mean nothing"`
	Variants   []variantResult `json:"variants"`
}

type sampleRatio struct {
	P  *float64 `json:"p"`
	OK bool     `json:"ok"`
}

type variantResult struct {
	ID              string    `json:"id"`
	Name            string    `json:"name,omitempty"`
	Exposures       int64     `json:"exposures" jsonschema:"units that count, each once"`
	Clicks          int64     `json:"clicks"`
	Conversions     int64     `json:"conversions"`
	Rate            *float64  `json:"rate"`
	CI95            []float64 `json:"ci95"`
	ProbabilityBest *float64  `json:"probabilityBest"`
	Lift            *float64  `json:"lift" jsonschema:"over the control, relative"`
	LiftInterval    []float64 `json:"liftInterval"`
}

func (s *Server) getExperiment(ctx context.Context, in experimentIn) (out experimentResults, err error) {
	err = s.ask(ctx, read("experiments", in.Experiment, "results"), &out)
	return out, err
}
