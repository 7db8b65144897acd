package experiment_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/experiment"
)

// cards is a definition of two cards, complete.
func cards() experiment.Definition {
	return experiment.Definition{
		Name: "Spring cards", Goal: experiment.Goal{DestinationURL: "https://shop.example/spring"},
		Variants: []experiment.Variant{{Template: "card"}, {Template: "card", Theme: "dark"}},
	}.Complete()
}

func TestCompleteFillsInWhatIsNotSaid(t *testing.T) {
	want := experiment.Definition{
		Name: "Spring cards", Slug: "spring-cards", Type: experiment.ABTest, Coverage: 10_000, Rollout: experiment.RolloutManual,
		Goal:              experiment.Goal{Type: experiment.GoalClick, DestinationURL: "https://shop.example/spring"},
		MinimumSampleSize: 1000, ConfidenceThreshold: 0.95, MinimumRunDays: 7, Output: experiment.Output{Format: "png"},
		Variants: []experiment.Variant{
			{ID: "a", Name: "a", Template: "card", Weight: 5000, Control: true}, {ID: "b", Name: "b", Template: "card", Theme: "dark", Weight: 5000},
		},
	}
	if diff := cmp.Diff(want, cards()); diff != "" {
		t.Errorf("completed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, cards().Complete()); diff != "" {
		t.Errorf("completed twice (-want +got):\n%s", diff)
	}
	if found := want.Validate(); len(found) > 0 {
		t.Errorf("it is refused: %v", found)
	}
}

func TestCompleteLeavesWhatIsSaid(t *testing.T) {
	given := experiment.Definition{
		Slug: "cards", Variants: []experiment.Variant{{ID: "b", Weight: 1000}, {}, {Control: true, Weight: 9000}},
		Bandit: &experiment.Bandit{Enabled: true, Warmup: 7},
	}
	before := slices.Clone(given.Variants)
	d := given.Complete()
	if diff := cmp.Diff(before, given.Variants); diff != "" {
		t.Errorf("the given variants were changed:\n%s", diff)
	}
	var got []string
	for _, v := range d.Variants {
		got = append(got, v.ID)
	}
	if want := []string{"b", "a", "c"}; !slices.Equal(got, want) || d.ControlVariant() != "c" || d.Variants[1].Weight != 0 {
		t.Errorf("variants %+v", d.Variants)
	}
	if want := (experiment.Bandit{Enabled: true, Algorithm: experiment.ThompsonSampling, Warmup: 7, RecomputeInterval: 15, Floor: 0.01}); *d.Bandit != want {
		t.Errorf("bandit %+v", *d.Bandit)
	}
	if d.Goal.Type != experiment.GoalConversion {
		t.Errorf("the goal is %q", d.Goal.Type)
	}
}

func TestWhatIsWrongIsSaidAtItsPlace(t *testing.T) {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	rule := func(property, operator, value string) *experiment.Condition {
		return &experiment.Condition{Type: "rule", Property: property, Operator: operator, Value: raw(value)}
	}
	smart := func(c *experiment.Condition) func(*experiment.Definition) {
		return func(d *experiment.Definition) { d.Type, d.Variants[1].Conditions = experiment.SmartLink, c }
	}
	timed := func(r experiment.Recurrence) func(*experiment.Definition) {
		return func(d *experiment.Definition) {
			d.Type, d.Variants[1].Schedule = experiment.Scheduled, &experiment.Schedule{Recurrence: &r}
		}
	}
	deep := rule("device", "equals", `"mobile"`)
	for range 4 {
		deep = &experiment.Condition{Type: "group", Operator: "AND", Children: []experiment.Condition{*deep}}
	}
	const at = "variants[1].conditions"
	for name, c := range map[string]struct {
		change func(*experiment.Definition)
		path   string // "" where nothing is wrong
	}{
		"no slug":              {func(d *experiment.Definition) { d.Slug = "" }, "slug"},
		"a short slug":         {func(d *experiment.Definition) { d.Slug = "ab" }, "slug"},
		"a long slug":          {func(d *experiment.Definition) { d.Slug = strings.Repeat("a", 61) }, "slug"},
		"a slug in capitals":   {func(d *experiment.Definition) { d.Slug = "Cards" }, "slug"},
		"a slug with a dot":    {func(d *experiment.Definition) { d.Slug = "cards.png" }, "slug"},
		"a reserved slug":      {func(d *experiment.Definition) { d.Slug = "events" }, "slug"},
		"another reserved one": {func(d *experiment.Definition) { d.Slug = "assignments" }, "slug"},
		"an unknown type":      {func(d *experiment.Definition) { d.Type = "split" }, "type"},
		"one variant":          {func(d *experiment.Definition) { d.Variants = d.Variants[:1]; d.Variants[0].Weight = 10_000 }, "variants"},
		"weights":              {func(d *experiment.Definition) { d.Variants[0].Weight = 4999 }, "variants"},
		"a negative weight":    {func(d *experiment.Definition) { d.Variants[0].Weight, d.Variants[1].Weight = 11_000, -1000 }, "variants[0].weight"},
		"one id twice":         {func(d *experiment.Definition) { d.Variants[1].ID = "a" }, "variants[1].id"},
		"an id with a space":   {func(d *experiment.Definition) { d.Variants[1].ID = "b b" }, "variants[1].id"},
		"no template":          {func(d *experiment.Definition) { d.Variants[1].Template = "" }, "variants[1].templateUid"},
		"two controls":         {func(d *experiment.Definition) { d.Variants[1].Control = true }, "variants[1].isDefault"},
		"no control":           {func(d *experiment.Definition) { d.Variants[0].Control = false }, "variants"},
		"no destination":       {func(d *experiment.Definition) { d.Goal.DestinationURL = "" }, "goalConfig.destinationUrl"},
		"a script":             {func(d *experiment.Definition) { d.Goal.DestinationURL = "javascript:alert(1)" }, "goalConfig.destinationUrl"},
		"another host":         {func(d *experiment.Definition) { d.Goal.DestinationURL = "//evil.example" }, "goalConfig.destinationUrl"},
		"a password":           {func(d *experiment.Definition) { d.Goal.DestinationURL = "https://me:secret@shop.example" }, "goalConfig.destinationUrl"},
		"a goal":               {func(d *experiment.Definition) { d.Goal.Type = "revenue" }, "goalConfig.type"},
		"a fallback":           {func(d *experiment.Definition) { d.FallbackImageURL = "file:///etc/passwd" }, "fallbackImageUrl"},
		"a format":             {func(d *experiment.Definition) { d.Output.Format = "pdf" }, "outputConfig.format"},
		"too much coverage":    {func(d *experiment.Definition) { d.Coverage = 10_001 }, "coverage"},
		"covered smart links":  {func(d *experiment.Definition) { smart(rule("device", "equals", `"mobile"`))(d); d.Coverage = 5000 }, "coverage"},
		"no confidence":        {func(d *experiment.Definition) { d.ConfidenceThreshold = 1 }, "confidenceThreshold"},
		"no days":              {func(d *experiment.Definition) { d.MinimumRunDays = -1 }, "minimumRunDays"},
		"a small plan":         {func(d *experiment.Definition) { d.PlannedSampleSize = 10 }, "plannedSampleSize"},
		"another algorithm": {func(d *experiment.Definition) {
			d.Bandit = &experiment.Bandit{Algorithm: "ucb", Warmup: 1, RecomputeInterval: 1, Floor: 0.1}
		}, "banditConfig.algorithm"},
		"a high floor": {func(d *experiment.Definition) {
			d.Bandit = (experiment.Definition{Bandit: &experiment.Bandit{Floor: 0.6}}).Complete().Bandit
		}, "banditConfig.floor"},
		"conditions of a test": {func(d *experiment.Definition) { d.Variants[1].Conditions = rule("device", "equals", `"mobile"`) }, "variants[1].conditions"},
		"conditions of control": {func(d *experiment.Definition) {
			smart(rule("device", "in", `["mobile"]`))(d)
			d.Variants[0].Conditions = d.Variants[1].Conditions
		}, "variants[0].conditions"},
		"no conditions":          {smart(nil), at},
		"deep conditions":        {smart(deep), at + ".children[0].children[0].children[0]"},
		"an empty group":         {smart(&experiment.Condition{Type: "group", Operator: "OR"}), at + ".children"},
		"a group's operator":     {smart(&experiment.Condition{Type: "group", Operator: "XOR", Children: []experiment.Condition{*rule("device", "equals", `"mobile"`)}}), at + ".operator"},
		"a property":             {smart(rule("browser", "equals", `"x"`)), at + ".property"},
		"custom of nothing":      {smart(rule("custom.", "equals", `"x"`)), at + ".property"},
		"an operator":            {smart(rule("device", "gt", `"mobile"`)), at + ".operator"},
		"a device":               {smart(rule("device", "equals", `"watch"`)), at + ".value"},
		"a country":              {smart(rule("country", "in", `["DE","Germany"]`)), at + ".value"},
		"a time":                 {smart(rule("time", "gt", `"noon"`)), at + ".value"},
		"half a window":          {smart(rule("time", "between", `["09:00"]`)), at + ".value"},
		"a mixed window":         {smart(rule("time", "between", `["09:00","2026-01-01T00:00:00Z"]`)), at + ".value"},
		"no value":               {smart(rule("device", "equals", ``)), at + ".value"},
		"a value that is a tree": {smart(rule("custom.a", "equals", `{"a":1}`)), at + ".value"},
		"fine conditions":        {smart(rule("custom.plan", "in", `["pro",2]`)), ""},
		"no schedule":            {func(d *experiment.Definition) { d.Type = experiment.Scheduled }, "variants[1].schedule"},
		"a schedule of nothing":  {timed(experiment.Recurrence{Type: "none"}), "variants[1].schedule"},
		"a day without a time":   {timed(experiment.Recurrence{Type: "daily", Minutes: 60}), "variants[1].schedule.startAt"},
		"no length":              {timed(experiment.Recurrence{Type: "cron", Cron: "0 9 * * *"}), "variants[1].schedule.recurrence.durationMinutes"},
		"a bad line":             {timed(experiment.Recurrence{Type: "cron", Cron: "0 9 * *", Minutes: 60}), "variants[1].schedule.recurrence.cronExpression"},
		"a zone":                 {timed(experiment.Recurrence{Type: "cron", Cron: "0 9 * * *", Minutes: 60, Timezone: "Mars/Base"}), "variants[1].schedule.recurrence.timezone"},
		"a fine schedule":        {timed(experiment.Recurrence{Type: "cron", Cron: "0 9 * * 1-5", Minutes: 60, Timezone: "Europe/Berlin"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := cards()
			c.change(&d)
			var paths []string
			for _, p := range d.Validate() {
				paths = append(paths, p.Path)
			}
			if c.path == "" && len(paths) > 0 || c.path != "" && !slices.Contains(paths, c.path) {
				t.Errorf("wrong at %q, want %q: %v", paths, c.path, d.Validate())
			}
		})
	}
}

func TestAllProblemsAreSaidAtOnce(t *testing.T) {
	found := experiment.Definition{Slug: "x"}.Complete().Validate()
	if len(found) < 2 {
		t.Errorf("found only %v", found)
	}
}

func TestUnitsAreShortAndPrintable(t *testing.T) {
	for _, unit := range []string{"u1", "Zoë 🙂", "a/b?c#d%", strings.Repeat("x", 200)} {
		if err := experiment.CheckUnit(unit); err != nil {
			t.Errorf("%q: %v", unit, err)
		}
	}
	for _, unit := range []string{"", strings.Repeat("x", 201), "a\x00b", "a\nb", "\xff\xfe", "a\u0085b"} {
		if experiment.CheckUnit(unit) == nil {
			t.Errorf("%q is a unit", unit)
		}
	}
}
