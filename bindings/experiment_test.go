package bindings

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// twoArms are a control of the binding's look and a variant of another one.
func twoArms() Arms {
	return Arms{ID: "exp_1", Control: "a", List: []Arm{
		{Variant: "a", Template: fakeTemplate{version: "v1"}, Version: 1},
		{Variant: "b", Template: fakeTemplate{version: "other"}, Version: 7, Theme: "dark", Variables: map[string]any{"title": "Hurry"}},
	}}
}

func ofCustomers(c *Config) { c.Experiment = Experiment{Slug: "spring", Unit: "customer"} }

func mustCompileArms(tb helper, arms *Arms, change func(*Config)) *Binding {
	tb.Helper()
	cfg := validConfig()
	ofCustomers(&cfg)
	if change != nil {
		change(&cfg)
	}
	b, err := CompileWith(cfg, fakeTemplate{version: "v1"}, 1, 1, arms)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// given is a Joined by which units have variants.
func given(variants map[string]string) *Joined {
	j := &Joined{}
	for unit, variant := range variants {
		j.Assign([]experiment.Assignment{{Experiment: "exp_1", Unit: unit, Variant: variant}})
	}
	return j
}

var customer = map[string]any{"customer": "u1", "title": "Shoe", "price": json.Number("5")}

func TestRowIsDrawnAsTheVariantOfItsUnit(t *testing.T) {
	arms := twoArms()
	b := mustCompileArms(t, &arms, func(c *Config) { c.Map = map[string]string{"price": "price * 2"} })
	for variant, want := range map[string]struct {
		page   string
		values []string
	}{
		"a": {"v1/", []string{"Shoe", "10", ""}},
		"b": {"other/dark", []string{"Hurry", "10", ""}},
	} {
		p := b.Propose("A-1", customer, given(map[string]string{"u1": variant}), clock, PriorityChange)
		if p.Problem != nil {
			t.Fatalf("variant %s: %+v", variant, p.Problem)
		}
		if p.Wants[0].Spec.Page != want.page || !slices.Equal(slots(p), want.values) {
			t.Errorf("variant %s is page %s with %q, want %s with %q", variant, p.Wants[0].Spec.Page, slots(p), want.page, want.values)
		}
		if diff := cmp.Diff(Assigned{Experiment: "exp_1", Unit: "u1", Variant: variant}, p.Assigned); diff != "" {
			t.Errorf("variant %s (-want +got):\n%s", variant, diff)
		}
	}
}

func TestAnotherVariantWithTheSamePictureIsAnotherWish(t *testing.T) {
	arms := twoArms()
	arms.List[1] = Arm{Variant: "b", Template: fakeTemplate{version: "v1"}, Version: 1}
	b := mustCompileArms(t, &arms, nil)
	propose := func(variant string) Proposal {
		return b.Propose("A-1", customer, given(map[string]string{"u1": variant}), clock, 0)
	}
	if one, other := propose("a"), propose("b"); one.Digest == other.Digest || one.Wants[0].Fingerprint != other.Wants[0].Fingerprint {
		t.Errorf("digests %s and %s, fingerprints %s and %s", one.Digest, other.Digest, one.Wants[0].Fingerprint, other.Wants[0].Fingerprint)
	}
}

func TestMeetingsAreOfRowsThatHaveAnImage(t *testing.T) {
	arms := twoArms()
	b := mustCompileArms(t, &arms, func(c *Config) { c.Where = "stock > 0" })
	rows := []map[string]any{
		{"customer": "u1", "stock": json.Number("1")},
		{"customer": "u2", "stock": json.Number("0")},
		{"stock": json.Number("1")},
		{"customer": json.Number("17"), "stock": json.Number("1")},
	}
	var met []string
	for _, m := range b.Meetings([]string{"1", "2", "3", "4"}, rows, &Joined{}, clock) {
		if m.Experiment != "exp_1" || m.Channel != experiment.Email || !m.Exposed || m.Place.Owner != "binding/cards" {
			t.Errorf("meeting %+v", m)
		}
		met = append(met, m.Unit+" at "+m.Place.Key)
	}
	if diff := cmp.Diff([]string{"u1 at 1", "17 at 4"}, met); diff != "" {
		t.Errorf("meetings (-want +got):\n%s", diff)
	}
	arms.Winner, arms.List = "b", arms.List[1:]
	if met := mustCompileArms(t, &arms, nil).Meetings([]string{"1"}, rows[:1], &Joined{}, clock); met != nil {
		t.Errorf("with a winner units are still assigned: %+v", met)
	}
}

func TestRowWithoutItsUnitFailsAndNamesTheColumn(t *testing.T) {
	arms := twoArms()
	b := mustCompileArms(t, &arms, nil)
	for name, c := range map[string]struct {
		unit any
		code string
	}{
		"null": {nil, UnitMissing}, "empty": {"", UnitMissing}, "long": {strings.Repeat("x", 201), BadUnit},
		"control": {"a\nb", BadUnit}, "a list": {[]any{"u"}, BadUnit}, "no UTF-8": {"\xff", BadUnit},
	} {
		p := b.Propose("A-1", map[string]any{"customer": c.unit, "title": "x", "price": "1"}, &Joined{}, clock, 0)
		if p.Problem == nil || p.Problem.Code != c.code || !strings.Contains(p.Problem.Message, `the column "customer"`) {
			t.Errorf("%s: %+v, want %s", name, p.Problem, c.code)
		}
	}
	p := b.Propose("A-1", map[string]any{"title": "x", "price": "1"}, &Joined{}, clock, 0)
	if p.Problem == nil || p.Problem.Code != UnitMissing || p.Problem.Field != "experiment.unit" || !strings.Contains(p.Problem.Message, `the column "customer"`) {
		t.Errorf("missing: %+v", p.Problem)
	}
	if p := b.Propose("A-1", map[string]any{"customer": strings.Repeat("ü", 100), "title": "x", "price": "1"}, &Joined{}, clock, 0); p.Problem != nil {
		t.Errorf("200 bytes are refused: %+v", p.Problem)
	}
}

func TestRowThatFailsTookPartNevertheless(t *testing.T) {
	arms := twoArms()
	b := mustCompileArms(t, &arms, nil)
	p := b.Propose("A-1", map[string]any{"customer": "u1"}, given(map[string]string{"u1": "a"}), clock, 0)
	if p.Problem == nil || p.Assigned.Variant != "a" {
		t.Errorf("proposal %+v", p)
	}
	// What the variant gives the row need not have.
	if p := b.Propose("A-1", map[string]any{"customer": "u1", "price": "1"}, given(map[string]string{"u1": "b"}), clock, 0); p.Problem != nil {
		t.Errorf("the variant gives the title: %+v", p.Problem)
	}
}

func TestDigestHangsOnVariantsAndTheirWinnerNotOnWeights(t *testing.T) {
	arms := twoArms()
	before := mustCompileArms(t, &arms, nil).Digest()
	same := twoArms()
	if got := mustCompileArms(t, &same, nil).Digest(); got != before {
		t.Errorf("the same arms have the digests %s and %s", before, got)
	}
	for name, change := range map[string]func(*Arms){
		"another experiment": func(a *Arms) { a.ID = "exp_2" },
		"a winner":           func(a *Arms) { a.Winner, a.List = "b", a.List[1:] },
		"a new version":      func(a *Arms) { a.List[1].Template = fakeTemplate{version: "v9"} },
		"variables":          func(a *Arms) { a.List[1].Variables = map[string]any{"title": "Now"} },
		"a theme":            func(a *Arms) { a.List[1].Theme = "" },
	} {
		arms := twoArms()
		change(&arms)
		if got := mustCompileArms(t, &arms, nil).Digest(); got == before {
			t.Errorf("%s does not change the digest", name)
		}
	}
	if got := mustCompileArms(t, nil, nil).Digest(); got != mustCompile(t, nil).Digest() {
		t.Error("an experiment that has not begun changes the digest")
	}
}

func TestVariantsThatCantBeDrawnAreProblemsOfTheBinding(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Arms)
		outs   []Output
		want   string
	}{
		"no such size":    {func(a *Arms) { a.List[1].Size = "poster" }, nil, `the variant "b" of the experiment "spring" can't be drawn: template "card" has no size "poster"`},
		"sizes of both":   {func(a *Arms) { a.List[1].Size = "story" }, []Output{{}, {Size: "story"}}, `it has the size "story", and the outputs have different ones`},
		"no such theme":   {func(a *Arms) { a.List[1].Theme = "neon" }, nil, `no theme "neon"`},
		"reads the clock": {func(a *Arms) { a.List[1].Template = fakeTemplate{version: "v1", clock: true} }, nil, "reads the clock"},
	} {
		arms := twoArms()
		c.change(&arms)
		cfg := validConfig()
		ofCustomers(&cfg)
		cfg.Outputs = c.outs
		_, err := CompileWith(cfg, fakeTemplate{version: "v1"}, 1, 1, &arms)
		if err == nil || !strings.Contains(err.Error(), c.want) || problem.All(err)[0].Path != "experiment.slug" {
			t.Errorf("%s: %v, want %s at experiment.slug", name, err, c.want)
		}
	}
}

func TestSizeOfAVariantKeepsTheNameOfTheOutput(t *testing.T) {
	arms := twoArms()
	arms.List[1].Size = "story"
	b := mustCompileArms(t, &arms, nil)
	for _, variant := range []string{"a", "b"} {
		p := b.Propose("A-1", customer, given(map[string]string{"u1": variant}), clock, 0)
		if p.Wants[0].Output != "png" {
			t.Errorf("as variant %s the output is called %q", variant, p.Wants[0].Output)
		}
	}
}

func TestExperimentNeedsASlugAndAColumn(t *testing.T) {
	for _, e := range []Experiment{{Slug: "spring"}, {Unit: "customer"}} {
		cfg := validConfig()
		cfg.Experiment = e
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "experiment.") {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if columns, _ := mustCompile(t, ofCustomers).Columns(); !slices.Contains(columns, "customer") {
		t.Errorf("the binding reads %v", columns)
	}
}
