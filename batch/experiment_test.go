package batch

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var byCustomer = bindings.Experiment{Slug: "spring", Unit: "customer"}

func TestABatchNamesItsExperiment(t *testing.T) {
	request, _, err := decoded(`{"variables":[{"a":1}],"experiment":{"slug":"spring","unit":"customer"}}`, Limits{})
	if err != nil || request.Experiment != byCustomer {
		t.Errorf("body: %+v, %v", request.Experiment, err)
	}
	request, err = Decode(strings.NewReader("customer\nu1\n"), Form{Format: CSV, Query: url.Values{"experiment": {"spring"}, "experimentUnit": {"customer"}}}, Limits{},
		func(Row) error { return nil })
	if err != nil || request.Experiment != byCustomer {
		t.Errorf("query: %+v, %v", request.Experiment, err)
	}
}

func TestAnExperimentThatIsHalfNamedIsRefused(t *testing.T) {
	for fields, path := range map[string]string{
		`"experiment":{"slug":"spring"}`:                             "experiment.unit",
		`"experiment":{"unit":"customer"}`:                           "experiment.slug",
		`"experiment":"spring"`:                                      "experiment.unit",
		`"experiment":{}`:                                            "experiment",
		`"experiment":{"slug":"spring","unit":"customer","units":1}`: "experiment.units",
		`"experiment":[1]`:                                           "experiment",
		`"experimentUnit":"customer"`:                                "experimentUnit",
		`"experiment":{"slug":"spring","unit":"customer"},"experimentUnit":"other"`: "experimentUnit",
		`"experiment":{"slug":7,"unit":"customer"}`:                                 "experiment.slug",
	} {
		_, _, err := decoded(`{"variables":[{"a":1}],`+fields+`}`, Limits{})
		if err == nil || problem.All(err)[0].Path != path {
			t.Errorf("%s: %v, want a problem at %s", fields, err, path)
		}
	}
}

// A badge is a certificate with another look.
type badge struct{ certificate }

func (badge) Name() string   { return "badge" }
func (badge) Digest() string { return "digest of badge" }

func mustVariants(tb testing.TB, job Job, arms bindings.Arms) *Planner {
	tb.Helper()
	job.ID, job.Template, job.Version, job.Test = "batch_1", "certificate", 3, &Test{Experiment: byCustomer, ID: "exp_1"}
	p, err := NewPlanner(job, certificate{}, 1, accepted, &arms)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func twoArms() bindings.Arms {
	return bindings.Arms{ID: "exp_1", Control: "a", List: []bindings.Arm{
		{Variant: "a", Template: certificate{}, Version: 3},
		{Variant: "b", Template: badge{}, Version: 1, Variables: map[string]any{"name": "Hurry"}},
	}}
}

func TestRowsOfABatchAreDrawnAsTheirVariants(t *testing.T) {
	p := mustVariants(t, Job{Outputs: onePNG, RowKey: "id", Mapping: map[string]string{"name": "first | upper"}}, twoArms())
	rows := []Row{
		row(0, `{"id":"x","customer":"u1","first":"ada"}`), row(1, `{"id":"y","customer":"u2","first":"bob"}`),
		row(2, `{"id":"z","first":"eve"}`), row(3, `{"id":"x","customer":"u3","first":"twin"}`),
	}
	var met []string
	var assigned []experiment.Assignment
	for i, m := range p.Meetings(rows) {
		met = append(met, m.Unit+" at "+m.Place.Owner+" "+m.Place.Key)
		m.Variant = []string{"a", "b"}[i%2]
		assigned = append(assigned, m.Assignment)
	}
	if diff := cmp.Diff([]string{"u1 at job/batch_1 x", "u2 at job/batch_1 y"}, met); diff != "" {
		t.Fatalf("meetings (-want +got):\n%s", diff)
	}
	p.Assign(assigned)
	var got []string
	for _, q := range p.Propose(rows) {
		end := q.Assigned.Variant + " "
		if q.Problem != nil {
			end += q.Problem.Code
		} else {
			end += q.Wants[0].Spec.Template + " " + q.Wants[0].Spec.Values[0]
		}
		got = append(got, end)
	}
	if diff := cmp.Diff([]string{"a certificate ADA", "b badge Hurry", " " + bindings.UnitMissing, " " + bindings.DuplicateKey}, got); diff != "" {
		t.Errorf("proposals (-want +got):\n%s", diff)
	}
}

func TestResultsSayTheirVariantAndWhereAClickLeads(t *testing.T) {
	r := drawn(0, `{"n":1}`, "png")
	r.Assigned, r.ClickURL = bindings.Assigned{Experiment: "exp_1", Unit: "u1", Variant: "b"}, "http://x/s/spring/u1/click?sig=s"
	sheet := mustSheet(t, CSVOptions{}, []Taken{r}, "png")
	sheet.Job.Test = &Test{Experiment: byCustomer, ID: "exp_1"}
	var out strings.Builder
	if err := sheet.WriteResults(&out, takenOf([]Taken{r})); err != nil {
		t.Fatal(err)
	}
	if want := "n,url,variant,clickUrl,error\r\n1,http://x/png0.png,b,http://x/s/spring/u1/click?sig=s,\r\n"; out.String() != want {
		t.Errorf("the CSV is %q, want %q", out.String(), want)
	}
	image := func(hash, ext string) string { return hash + "." + ext }
	text, err := encode(NewRowResult(r.Result, image))
	if err != nil || !strings.Contains(string(text), `"variant":"b","clickUrl":"http://x/s/spring/u1/click?sig=s"`) {
		t.Errorf("the result is %s, %v", text, err)
	}
	failed := r.Result
	failed.Error = &RowError{Code: "x"}
	if text, err := encode(NewRowFailure(failed, image)); err != nil || !strings.Contains(string(text), `"variant":"b"`) {
		t.Errorf("the failure is %s, %v", text, err)
	}
}
