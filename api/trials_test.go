package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/sample"
)

const (
	rowsPath   = "/templates/" + testTemplate + "/rows"
	stressPath = "/templates/" + testTemplate + "/stress"
)

// A tryout is the world's Trials: rows by their places.
type tryout struct {
	rows     map[string]sample.List
	sketches *sketches
}

// sketches are how often each picture was drawn for a look.
type sketches struct {
	mu     sync.Mutex
	drawn  map[string]int // by the first value
	before chan struct{}  // when not nil, each waits for it
	all    []Sketch
}

func (t tryout) Fonts(context.Context) ([]FontFamily, error) {
	return []FontFamily{{Family: "DejaVu Sans", Origin: "machine", Styles: []FontStyle{{Style: "Book", Weight: "400"}}, Scripts: []string{"Latin"}}}, nil
}

func (t tryout) SavedMap(string) (map[string]string, string) {
	return map[string]string{"title": "name", "gone": "name"}, "stock > 0"
}

func (t tryout) TryMap(_ context.Context, m MapTrial) (MapTried, error) {
	rows := sample.NewList(m.Rows)
	if m.Rows == nil {
		rows = sample.NewList([]map[string]any{{"name": "Mug", "price": "3", "stock": "1", "note": ""}, {"name": "Cup", "price": "x", "stock": "0"}})
		rows[0].Key, rows[1].Key = "a", "b"
	}
	done := MapTried{Source: "shop", Total: len(rows), Looked: len(rows), Rows: rows}
	columns := sample.NewColumns()
	for _, row := range rows {
		columns.Add(row.Columns)
	}
	done.Columns = columns.All()
	for _, src := range m.Expressions {
		var values []MapValue
		program, err := expr.Compile(src, expr.Options{})
		for _, row := range rows {
			value := MapValue{Err: err}
			if err == nil {
				value.Value, value.Err = program.Eval(row.Columns, expr.Env{})
			}
			values = append(values, value)
		}
		done.Values = append(done.Values, values)
	}
	return done, nil
}

func (t tryout) Sketch(ctx context.Context, s Sketch) (Sketched, error) {
	all := t.sketches
	if all.before != nil {
		select {
		case <-all.before:
		case <-ctx.Done():
			return Sketched{}, ctx.Err()
		}
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	title := strings.TrimSpace(strings.Join(s.Want.Spec.Values, ""))
	all.drawn[title]++
	all.all = append(all.all, s)
	out := Sketched{Ext: "png", Width: 400, Height: 200}
	switch {
	case strings.HasPrefix(title, "A rather long"):
		out.Fitting.Layers = []bindings.LayerFit{{Layer: "t", FontPx: 12, Lines: 2, Clipped: true}}
	case title == "no picture":
		out.Problem = &bindings.Problem{Code: "asset_fetch_failed", Field: "variables.photo", Message: "the image is missing"}
	case title == "known":
		out.Known = true
	case title == "machine":
		return out, problem.New(problem.Overloaded, "no Chrome").WithSlug("render_failed")
	}
	if !s.Dry {
		var b bytes.Buffer
		picture := image.NewGray(image.Rect(0, 0, 20, 20))
		picture.SetGray(3, 3, color.Gray{uint8(len(title) * 40)})
		if err := png.Encode(&b, picture); err != nil {
			return out, err
		}
		out.Bytes = b.Bytes()
	}
	if s.Boxes {
		out.Boxes = []render.Box{{ID: "t", Tag: "p", X: 1, Y: 2, Width: 30.5, Height: 12}}
		out.Layers = []render.LayerReport{{Layer: "t", FontPx: 16, Lines: 1}}
	}
	return out, nil
}

func (t tryout) RowChoices(context.Context, string) (all []RowChoice, err error) {
	for from, rows := range t.rows {
		place, err := ReadRowPlace(from)
		if err != nil {
			return nil, err
		}
		all = append(all, RowChoice{From: from, Title: from, Kind: place.Kind, Name: place.Name, Rows: len(rows)})
	}
	slices.SortFunc(all, func(a, b RowChoice) int { return strings.Compare(a.From, b.From) })
	return all, nil
}

func (t tryout) TrialRows(_ context.Context, _ string, _ bindings.Template, from RowPlace) (sample.Rows, error) {
	rows, ok := t.rows[from.String()]
	if !ok && from.Kind != FromSamples {
		return nil, problem.New(problem.NotFound, "there is no %s", from).WithSlug("nothing_there")
	}
	return rows, nil
}

// tried is a world whose template is a real one, with rows to try it with.
func tried(tb testing.TB) *world {
	tb.Helper()
	w := newWorld()
	t, err := template.Parse(testTemplate, []byte(`<!doctype html><html><head><script type="application/json" id="p-template">
{"sizes": {"default": {"w": 400, "h": 200}}, "vars": {
  "title": {"type": "text", "required": true, "example": "Mug", "maxLength": 80}, "price": {"type": "number"}}}
</script></head><body><p id="t">{{ title }} {{ price }}</p></body></html>`), nil)
	if err != nil {
		tb.Fatal(err)
	}
	w.form = t
	cards := sample.NewList([]map[string]any{{"title": "Mug", "price": "3"}, {"title": "A rather long title"}, {"price": "x"}})
	cards[2].Err, cards[2].Values = problem.New(problem.Invalid, "x is no number").WithSlug("wrong_type").At("variables.price"), nil
	cards[1].Skipped, cards[0].Key, cards[1].Key = true, "a%2F1", "b"
	w.tryout = tryout{map[string]sample.List{
		"samples": sample.NewList([]map[string]any{{"title": "One"}, {"title": "Two"}}), "binding:cards": cards,
		"source:shop": sample.NewList([]map[string]any{{"title": "as it is"}}), "source:crm": nil, "job:j1": nil,
	}, &sketches{drawn: map[string]int{}}}
	w.jobs = []batch.Job{{ID: "j1", Template: testTemplate}, {ID: "j2", Template: "another"}}
	return w
}

func TestRowsAreSteppedThrough(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	first := mustAnswer[trialRowView](t, get(rowsPath).to(t, s), 200)
	if first.Total != 2 || first.At != 0 || first.Variables["title"] != "One" || len(first.Choices) != 5 {
		t.Errorf("the first sample is %+v", first)
	}
	for query, at := range map[string]int{
		"?from=samples&at=1": 1, "?at=99": 1, "?from=binding:cards&at=2": 2, "?from=binding:cards&pick=last": 2,
	} {
		v := mustAnswer[trialRowView](t, get(rowsPath+query).to(t, s), 200)
		if v.At != at || v.Choices != nil {
			t.Errorf("%s is %+v, want row %d alone", query, v, at)
		}
	}
	skipped := mustAnswer[trialRowView](t, get(rowsPath+"?from=binding:cards&at=1").to(t, s), 200)
	if !skipped.Skipped || skipped.Key != "b" {
		t.Errorf("the row that the binding leaves out is %+v", skipped)
	}
	named := mustAnswer[trialRowView](t, get(rowsPath+"?from=binding:cards&at=0").to(t, s), 200)
	if named.Key != "a%2F1" || named.Name != "a/1" {
		t.Errorf("the key of a row is %q, for people %q", named.Key, named.Name)
	}
	wrong := mustAnswer[trialRowView](t, get(rowsPath+"?from=binding:cards&at=2").to(t, s), 200)
	if wrong.Error == nil || wrong.Error.Field != "variables.price" || wrong.Row["price"] != "x" {
		t.Errorf("the row that can't be mapped is %+v", wrong)
	}
	if longest := mustAnswer[trialRowView](t, get(rowsPath+"?pick=longest:title").to(t, s), 200); longest.At != 0 || longest.Looked == nil || !longest.Looked.All {
		t.Errorf("the longest is %+v", longest)
	}
	none := mustAnswer[trialRowView](t, get(rowsPath+"?from=source:crm").to(t, s), 200)
	if none.Total != 0 || none.At != -1 || len(none.Row) != 0 || none.Variables["title"] != "Mug" {
		t.Errorf("of a place without rows %+v is shown, want the examples", none)
	}
}

func TestWhatNamesNoRowIsRefused(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for query, want := range map[string]string{
		"?from=nowhere": "unknown_place", "?from=binding:": "unknown_place", "?from=binding:none": "binding_not_found", "?from=samples:x": "unknown_place",
		"?pick=best": "unknown_pick", "?pick=longest:titel": "unknown_variable", "?at=-1": "out_of_range", "?at=x": "out_of_range",
		"?pick=random&seed=x": "invalid_type", "?key=a": "row_not_found",
	} {
		if out := get(rowsPath+query).to(t, s); !strings.Contains(out.Body.String(), `"`+want+`"`) || out.Code < 400 || out.Code >= 500 {
			t.Errorf("%s: %d %s, want %s", query, out.Code, out.Body, want)
		}
	}
	mustProblem(t, get("/templates/none/rows").to(t, s), 404, "template_not_found")
}

func TestRowsAreForThoseWhoMayReadThem(t *testing.T) {
	w := tried(t)
	w.configured[1].Template = "another"
	s := mustServer(t, locked(
		Key{Name: "designer", Key: secret("designer-key"), Scopes: []Scope{TemplatesRead}},
		Key{Name: "narrow", Key: secret("narrow-key"), Templates: []string{testTemplate}},
	), w)
	mustProblem(t, get(rowsPath+"?from=binding:cards").bearer("designer-key").to(t, s), 403, "scope_missing")
	mustProblem(t, get(rowsPath+"?from=job:j1").bearer("designer-key").to(t, s), 403, "scope_missing")
	if v := mustAnswer[trialRowView](t, get(rowsPath).bearer("designer-key").to(t, s), 200); len(v.Choices) != 1 || v.Choices[0].From != "samples" {
		t.Errorf("a key for templates alone may choose %+v", v.Choices)
	}
	for from, status := range map[string]int{
		"binding:cards": 200, "source:shop": 200, "job:j1": 200, "binding:private": 404, "source:crm": 404, "job:j2": 404,
	} {
		if out := get(rowsPath+"?from="+from).bearer("narrow-key").to(t, s); out.Code != status {
			t.Errorf("a key for one template gets %s: %d %s, want %d", from, out.Code, out.Body, status)
		}
	}
}

func TestPastedRowsAreTried(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for _, c := range []struct {
		name, query, kind, body string
		total                   int
		title                   any
	}{
		{"a list", "", "application/json", `[{"title": "One"}, {"title": "Two"}]`, 2, "One"},
		{"one object", "", "application/json", `{"title": "One", "price": 3}`, 1, "One"},
		{"a batch", "?at=1", "application/json", `{"variables": [{"title": "One"}, {"title": "Two"}]}`, 2, "Two"},
		{"CSV", "?pick=last", "text/csv", "title,price\nOne,1\nTwo,2\n", 2, "Two"},
		{"TSV by its name", "?format=tsv", "text/plain", "title\tprice\nOne\t1\n", 1, "One"},
		{"NDJSON", "", "application/x-ndjson", "{\"title\":\"One\"}\n", 1, "One"},
		{"nothing", "", "application/json", `[]`, 0, "Mug"},
	} {
		call := post(rowsPath+c.query, c.body).with("Content-Type", c.kind)
		v := mustAnswer[trialRowView](t, call.to(t, s), 200)
		if v.From != "pasted" || v.Total != c.total || v.Variables["title"] != c.title || len(v.Rows) != c.total {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
	for body, want := range map[string]int{`[1]`: 422, `{"title": `: 400, strings.Repeat("x", maxPasted+1): 413} {
		if out := post(rowsPath, body).to(t, s); out.Code != want {
			t.Errorf("%.20s: %d %s, want %d", body, out.Code, out.Body, want)
		}
	}
	mustProblem(t, post(rowsPath+"?format=doc", "x").to(t, s), 422, "unknown_format")
	if out := post(rowsPath, "x").with("Content-Type", "image/png").to(t, s); out.Code != 415 {
		t.Errorf("a picture as rows: %d %s", out.Code, out.Body)
	}
}

func TestStressSheetOfRealRows(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	v := mustAnswer[stressView](t, get(stressPath+"?from=samples").to(t, s), 200)
	if v.Looked != (sample.Looked{Rows: 2, All: true}) || !slices.Equal(v.Scripts, []string{"Latin"}) {
		t.Errorf("looked at %+v, scripts %v", v.Looked, v.Scripts)
	}
	real, made := 0, 0
	for _, c := range v.Cases {
		if c.Made {
			made++
		} else {
			real++
		}
		if _, ok := c.Values["title"].(string); !ok {
			t.Errorf("%s has no title, and it is required", c.Name)
		}
	}
	if real == 0 || made < 5 {
		t.Errorf("%d rows and %d made ones: %+v", real, made, v.Cases)
	}
}

const (
	sketchPath = "/templates/" + testTemplate + "/draft/render"
	checkPath  = "/templates/" + testTemplate + "/draft/check"
)

func TestSketchSaysWhereElementsAre(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	v := mustAnswer[sketchView](t, post(sketchPath, `{"variables": {"title": "Mug"}}`).to(t, s), 200)
	if len(v.Boxes) != 1 || v.Boxes[0].ID != "t" || len(v.Layers) != 1 || v.Width != 400 || v.Difference != nil || !strings.HasPrefix(v.Image, "data:image/png;base64,") {
		t.Errorf("the sketch is %+v", v)
	}
	out := post(sketchPath, `{"variables": {"title": "Mug"}}`).with("Accept", "image/png").to(t, s)
	if out.Code != 200 || out.Header().Get("Content-Type") != "image/png" || !strings.HasPrefix(out.Body.String(), "\x89PNG") {
		t.Errorf("the bytes alone: %d %v", out.Code, out.Header())
	}
}

func TestSketchIsHeldAgainstAVersion(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for _, against := range []string{`"published"`, `3`, `"3"`} {
		v := mustAnswer[sketchView](t, post(sketchPath, `{"variables": {"title": "Mug"}, "against": `+against+`}`).to(t, s), 200)
		if d := v.Difference; d == nil || !d.Agree || d.Share != 0 || d.Against != 3 || d.Marks == "" {
			t.Errorf("against %s: %+v", against, d)
		}
	}
}

func TestBadSketchesAreRefused(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for body, want := range map[string]string{
		`{"variables": {}}`: "missing_variable", `{"variables": {"title": "Mug"}, "size": "none"}`: "unknown_size",
		`{"variables": {"title": "Mug"}, "format": "gif"}`: "unknown_format", `{"variables": {"title": "Mug"}, "version": "new"}`: "out_of_range",
		`{"variables": {"title": "Mug"}, "against": 0}`: "out_of_range", `{"variables": {"title": "no picture"}}`: "asset_fetch_failed",
		`{"variables": {"title": "Mug"}, "against": 3, "format": "webp"}`: "unknown_format", `{"values": {}}`: "malformed_body", ``: "malformed_body",
		`{"variables": {"title": "Mug"}} {}`: "malformed_body",
	} {
		out := post(sketchPath, body).to(t, s)
		if d := mustAnswer[document](t, out, out.Code); d.Code != want || out.Code >= 500 {
			t.Errorf("%s: %d %s, want %s", body, out.Code, out.Body, want)
		}
	}
}

func TestVersionsAreShownWithARow(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for _, number := range []string{"3", "draft"} {
		out := get("/templates/"+testTemplate+"/versions/"+number+"/picture?from=samples&at=1").to(t, s)
		if out.Code != 200 || out.Header().Get("Content-Type") != "image/png" || out.Header().Get("X-Row") != "1" {
			t.Errorf("version %s: %d %v %s", number, out.Code, out.Header(), out.Body)
		}
	}
	mustProblem(t, get("/templates/"+testTemplate+"/versions/x/picture").to(t, s), 422, "out_of_range")
	mustProblem(t, get("/templates/"+testTemplate+"/versions/3/picture?from=binding:cards&at=2").to(t, s), 422, "wrong_type")
}

func TestCheckDrawsEachPictureOnce(t *testing.T) {
	w := tried(t)
	rows := []map[string]any{}
	for i := range 450 { // of three pages
		rows = append(rows, map[string]any{"title": []string{"Mug", "A rather long title", "known"}[i%3]})
	}
	rows[7], rows[400], rows[401] = map[string]any{"title": "no picture"}, map[string]any{"price": "3"}, map[string]any{"title": "no picture"}
	w.tryout.rows["source:shop"] = sample.NewList(rows)
	s := mustServer(t, open(), w)
	v := mustAnswer[checkView](t, post(checkPath, `{"from": "source:shop"}`).to(t, s), 200)
	if diff := cmp.Diff(map[string]int{"Mug": 1, "A rather long title": 1, "known": 1, "no picture": 1}, w.tryout.sketches.drawn); diff != "" {
		t.Errorf("drawn (-want +got):\n%s", diff)
	}
	want := checkCounts{OK: 299, Errors: 3, Clipped: 148, MissingImages: 2}
	if v.Counts != want || v.Checked != 450 || v.Total != 450 || v.Pictures != 4 || v.Drawn != 3 || v.Reused != 1 || !v.Complete || v.Truncated {
		t.Errorf("got %+v %+v, want %+v", v.Counts, v.checkProgress, want)
	}
	if f := v.Findings[0]; f.At != 1 || f.Code != "text_clipped" || f.Level != "warning" || f.Layer != "t" || f.Size != "default" {
		t.Errorf("the first finding is %+v", f)
	}
	for _, one := range w.tryout.sketches.all {
		if !one.Dry || one.Check == "" || one.Boxes {
			t.Errorf("a check drew %+v", one)
		}
	}
	some := mustAnswer[checkView](t, post(checkPath, `{"from": "source:shop", "limit": 10}`).to(t, s), 200)
	if some.Checked != 10 || some.Complete || some.Total != 10 {
		t.Errorf("of ten rows %+v was checked", some.checkProgress)
	}
	own := mustAnswer[checkView](t, post(checkPath, `{"rows": [{"title": "Mug"}, {}], "sizes": ["default"]}`).to(t, s), 200)
	if own.Counts != (checkCounts{OK: 1, Errors: 1}) || own.From != "pasted" {
		t.Errorf("of rows that are sent: %+v", own)
	}
	bound := mustAnswer[checkView](t, post(checkPath, `{"from": "binding:cards"}`).to(t, s), 200)
	if bound.Counts != (checkCounts{OK: 1, Errors: 1, Skipped: 1}) || bound.Findings[0].Field != "variables.price" || bound.Findings[0].At != 2 {
		t.Errorf("of the binding: %+v", bound)
	}
}

func TestCheckTellsHowFarItIs(t *testing.T) {
	w := tried(t)
	s := mustServer(t, open(), w)
	names, last := events(t, post(checkPath, `{"rows": [{"title": "Mug"}, {"title": "A rather long title"}]}`).with("Accept", "text/event-stream").to(t, s))
	if got := strings.Join(names, " "); got != "finding progress done" {
		t.Errorf("the events are %s", got)
	}
	var v checkView
	if err := json.Unmarshal([]byte(last), &v); err != nil || v.Counts != (checkCounts{OK: 1, Clipped: 1}) {
		t.Errorf("the last is %s: %v", last, err)
	}
	names, last = events(t, post(checkPath, `{"rows": [{"title": "machine"}]}`).with("Accept", "text/event-stream").to(t, s))
	if names[len(names)-1] != "failed" || !strings.Contains(last, `"code":"render_failed"`) {
		t.Errorf("a check that fails ends with %v %s", names, last)
	}
}

// events are the names of events of a stream, and the data of the last.
func events(t *testing.T, out *httptest.ResponseRecorder) (names []string, last string) {
	t.Helper()
	for line := range strings.Lines(out.Body.String()) {
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			names = append(names, strings.TrimSpace(name))
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			last = data
		}
	}
	return names, last
}

func TestBadChecksAreRefused(t *testing.T) {
	w := tried(t)
	s := mustServer(t, open(), w)
	for body, want := range map[string]string{
		`{"from": "binding:none"}`: "binding_not_found", `{"limit": -1}`: "out_of_range", `{"limit": 100001}`: "out_of_range",
		`{"sizes": ["none"]}`: "unknown_size", `{"theme": "none"}`: "unknown_theme", `{"from": "samples", "rows": []}`: "given_twice",
		`{"what": 1}`: "malformed_body",
	} {
		out := post(checkPath, body).to(t, s)
		if d := mustAnswer[document](t, out, out.Code); d.Code != want {
			t.Errorf("%s: %d %s, want %s", body, out.Code, out.Body, want)
		}
	}
}

func TestCheckEndsWhenItsClientGoes(t *testing.T) {
	w := tried(t)
	w.tryout.sketches.before = make(chan struct{})
	s := mustServer(t, open(), w)
	server := httptest.NewServer(s)
	defer server.Close()
	var calls []context.CancelFunc
	for i := range checksAtOnce {
		ctx, cancel := context.WithCancel(t.Context())
		calls = append(calls, cancel)
		body := strings.NewReader(fmt.Sprintf(`{"rows": [{"title": "%d"}]}`, i))
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+checkPath, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/event-stream")
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
	}
	if out := post(checkPath, `{}`).to(t, s); out.Code != http.StatusServiceUnavailable || out.Header().Get("Retry-After") == "" {
		t.Errorf("one more check: %d %s", out.Code, out.Body)
	}
	for _, leave := range calls {
		leave()
	}
	for range checksAtOnce { // a place is given back when its check has ended
		s.checks <- struct{}{}
	}
}
