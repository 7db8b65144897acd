package batch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

var accepted = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A certificate is a template with the required variable name and the clock.
type certificate struct{}

func (certificate) Name() string     { return "certificate" }
func (certificate) Digest() string   { return "digest" }
func (certificate) ReadsClock() bool { return true }
func (certificate) Vars() []template.Var {
	return []template.Var{{Name: "name", Type: "text", Required: true}}
}
func (certificate) Sizes() []template.Size { return []template.Size{{Name: "a4"}, {Name: "thumb"}} }

func (certificate) Themes() []string { return nil }

func (certificate) Page(v template.View) (*template.Page, error) {
	return threeSlots("page " + v.Size), nil
}

func (certificate) ResolveIn(values map[string]any, env expr.Env) (template.Values, error) {
	if values["name"] == nil {
		return nil, problem.List{problem.New(problem.Invalid, "the variable name is missing").WithSlug("missing_variable").At("variables.name")}
	}
	return template.Values{fmt.Sprint(values["name"]), env.Now.Format(time.DateOnly)}, nil
}

func mustPlanner(tb testing.TB, job Job) *Planner {
	tb.Helper()
	job.ID, job.Template, job.Version = "batch_1", "certificate", 3
	p, err := NewPlanner(job, certificate{}, 1, accepted, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// told is what each proposal says, short: "0 key → picture" or "0 key → code".
func told(proposals []bindings.Proposal) []string {
	var all []string
	for _, p := range proposals {
		end := ""
		switch {
		case p.Problem != nil:
			end = p.Problem.Code + " " + p.Problem.Field
		case len(p.Wants) > 0:
			end = strings.Join(p.Wants[0].Spec.Values, " ")
		}
		all = append(all, fmt.Sprintf("%d %s → %s", p.Index, p.Key, end))
	}
	return all
}

func TestRowsBecomeProposalsOfTheirJob(t *testing.T) {
	p := mustPlanner(t, Job{Outputs: []Output{{Name: "png", Encoding: bindings.Encoding{Format: "png"}}, {Name: "thumb", Size: "thumb", Encoding: bindings.Encoding{Format: "jpeg", Quality: 80}}}})
	got := p.Propose([]Row{row(7, `{"name":"Ada","extra":[1]}`)})
	if len(got) != 1 || len(got[0].Wants) != 2 {
		t.Fatalf("proposals %+v", got)
	}
	thumb := bindings.Spec{
		Template: "certificate", Version: 3, Page: "page thumb", Size: "thumb", Values: []string{"Ada", "2026-11-24"}, Encoding: bindings.Encoding{Format: "jpeg", Quality: 80},
	}
	if diff := cmp.Diff(bindings.Want{Output: "thumb", Fingerprint: bindings.Fingerprint(thumb, 1), Spec: thumb}, got[0].Wants[1]); diff != "" {
		t.Errorf("second output (-want +got):\n%s", diff)
	}
	if got[0].Owner != bindings.JobOwner("batch_1") || got[0].Key != "7" || got[0].Index != 7 || got[0].Priority != bindings.PriorityBatch {
		t.Errorf("proposal %+v", got[0])
	}
}

func TestBatchRowAndBindingRowAreOnePicture(t *testing.T) {
	got := mustPlanner(t, Job{Outputs: onePNG}).Propose([]Row{row(0, `{"name":"Ada"}`)})
	drawing, err := bindings.NewDrawing(certificate{}, 4, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := drawing.Propose(bindings.BindingOwner("cards"), "k", map[string]any{"name": "Ada"}, accepted, bindings.PriorityNow)
	if got[0].Wants[0].Fingerprint != other.Wants[0].Fingerprint {
		t.Error("the same picture would be made twice")
	}
}

func TestBadRowsFailAlone(t *testing.T) {
	bad := Row{Index: 1, Key: "1", Error: &RowError{Code: "bad_row", Message: "the row is a number"}}
	got := told(mustPlanner(t, Job{Outputs: onePNG}).Propose([]Row{row(0, `{"name":"Ada"}`), bad, row(2, `{}`), row(3, `{`), row(4, `{"name":"Eve"}`)}))
	want := []string{
		"0 0 → Ada 2026-11-24", "1 1 → bad_row ", "2 2 → missing_variable variables.name", "3 3 → bad_row ", "4 4 → Eve 2026-11-24",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("proposals (-want +got):\n%s", diff)
	}
}

func TestEqualRowKeysFailButForTheFirst(t *testing.T) {
	p := mustPlanner(t, Job{Outputs: onePNG, RowKey: "id"})
	got := told(p.Propose([]Row{row(0, `{"name":"A","id":"x"}`), row(1, `{"name":"B","id":"x"}`), row(2, `{"name":"C","id":1}`)}))
	got = append(got, told(p.Propose([]Row{
		row(3, `{"name":"D","id":"1"}`), row(4, `{"name":"E"}`), row(5, `{"name":"F","id":{}}`), row(6, `{"name":"G","id":""}`),
		row(7, `{"name":"H","id":"`+strings.Repeat("x", MaxKey+1)+`"}`), row(8, `{"id":"y"}`), row(9, `{"name":"J","id":true}`),
	}))...)
	want := []string{
		"0 x → A 2026-11-24", "1 #1 → duplicate_key variables.id", "2 1 → C 2026-11-24", "3 #3 → duplicate_key variables.id",
		"4 #4 → null_key variables.id", "5 #5 → bad_key variables.id", "6 #6 → null_key variables.id", "7 #7 → bad_key variables.id",
		"8 y → missing_variable variables.name", "9 true → J 2026-11-24",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("proposals (-want +got):\n%s", diff)
	}
}

func TestNoRowKeyLooksLikeTheOneOfAFailedRow(t *testing.T) {
	p := mustPlanner(t, Job{Outputs: onePNG, RowKey: "id"})
	got := told(p.Propose([]Row{
		row(0, `{"name":"A","id":"#1"}`), row(1, `{"name":"B"}`), row(2, `{"name":"C","id":"##1"}`), row(3, `{"name":"D","id":"#summer"}`),
	}))
	want := []string{"0 ##1 → A 2026-11-24", "1 #1 → null_key variables.id", "2 ###1 → C 2026-11-24", "3 #summer → D 2026-11-24"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("proposals (-want +got):\n%s", diff)
	}
}

func TestPlanningThatGoesOnAfterARestartKnowsTheKeysBefore(t *testing.T) {
	rows := []Row{row(0, `{"name":"A","id":"x"}`), row(1, `{"name":"B","id":"#9"}`), row(2, `{"name":"C","id":"x"}`), row(3, `{"name":"D","id":"#9"}`)}
	job := Job{Outputs: onePNG, RowKey: "id"}
	whole := mustPlanner(t, job).Propose(rows)
	job.Planned = 2
	p := mustPlanner(t, job)
	if !p.Resumes() {
		t.Fatal("the planner does not ask for the keys before")
	}
	for _, before := range whole[:2] {
		p.Taken(before.Index, before.Key)
	}
	if diff := cmp.Diff(whole[2:], p.Propose(rows[2:])); diff != "" {
		t.Errorf("proposals (-at once +resumed):\n%s", diff)
	}
	if again := p.Propose(rows[:1]); again[0].Problem != nil {
		t.Errorf("the row itself is taken for its duplicate: %+v", again[0].Problem)
	}
	if mustPlanner(t, Job{Outputs: onePNG, Planned: 2}).Resumes() {
		t.Error("a job whose keys are its indices asks for keys")
	}
}

func TestUnknownSizeRefusesTheBatch(t *testing.T) {
	_, err := NewPlanner(Job{Outputs: []Output{{Name: "png", Encoding: bindings.Encoding{Format: "png"}}, {Name: "t", Size: "thum", Encoding: bindings.Encoding{Format: "png"}}}}, certificate{}, 1, accepted, nil)
	got := problem.All(err)
	if len(got) != 1 || got[0].Path != "outputs[1].size" || !strings.Contains(got[0].Hint, `"thumb"`) {
		t.Errorf("error %v", err)
	}
}

// threeSlots is a page of that digest which shows three values.
func threeSlots(digest string) *template.Page {
	t, err := template.Parse("three", []byte(`<p>{{ a }}{{ b }}{{ c }}</p>`), nil)
	if err != nil {
		panic(err)
	}
	page, err := t.Page(template.View{})
	if err != nil {
		panic(err)
	}
	three := *page
	three.Digest = digest
	return &three
}
