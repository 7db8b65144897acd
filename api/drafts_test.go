package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/drafttest"
)

const draftPath = "/templates/" + testTemplate + "/draft"

// edit is a PATCH of the draft, which was seen at a revision: pairs are an
// element and its text.
func edit(revision string, pairs ...string) call {
	var ops []json.RawMessage
	for i := 0; i < len(pairs); i += 2 {
		ops = append(ops, drafttest.SetText(pairs[i], pairs[i+1]))
	}
	body, err := json.Marshal(map[string]any{"ops": ops, "author": "Ada"})
	if err != nil {
		panic(err)
	}
	return call{method: http.MethodPatch, path: draftPath, body: string(body)}.with("If-Match", `"`+revision+`"`)
}

// draftOf is the draft as the API shows it.
func draftOf(t *testing.T, s *Server) draftView {
	t.Helper()
	return mustAnswer[struct{ Draft draftView }](t, get(draftPath).to(t, s), 200).Draft
}

func TestDraftIsTheNewestVersionAtFirst(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	out := get(draftPath).to(t, s)
	v := mustAnswer[struct{ Draft draftView }](t, out, 200).Draft
	if v.HTML != certificate || v.Open || v.Base != 3 || v.Revision != 3 || out.Header().Get("ETag") != `"3"` {
		t.Errorf("ETag %s of %+v", out.Header().Get("ETag"), v)
	}
	mustProblem(t, get("/templates/none/draft").to(t, s), 404, "template_not_found")
}

func TestEditIsAStepOfTheDraft(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	out := edit("3", "note", "old", "note", "older").to(t, s)
	v := mustAnswer[doneView](t, out, 200)
	if v.Revision != 4 || v.Rebased || len(v.Between) != 0 || out.Header().Get("ETag") != `"4"` || v.Draft.Author != "Ada" {
		t.Errorf("ETag %s of %+v", out.Header().Get("ETag"), v)
	}
	if want := strings.Replace(certificate, "new", "older", 1); v.Draft.HTML != want || !v.Draft.Open {
		t.Errorf("the draft is %q, want %q", v.Draft.HTML, want)
	}
	// What the answer says takes the step back.
	body, err := json.Marshal(map[string]any{"ops": v.Inverse})
	if err != nil {
		t.Fatal(err)
	}
	mustAnswer[doneView](t, call{method: http.MethodPatch, path: draftPath, body: string(body)}.with("If-Match", `W/"4"`).to(t, s), 200)
	if got := draftOf(t, s).HTML; got != certificate {
		t.Errorf("taken back it is %q", got)
	}
}

func TestDraftShowsWhatLintSaysOfIt(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	v := mustAnswer[doneView](t, edit("3", "note", `<b id="name">twice</b>`).to(t, s), 200)
	for _, problems := range [][]findingView{v.Draft.Problems, draftOf(t, s).Problems} {
		i := slices.IndexFunc(problems, func(f findingView) bool { return f.Code == "duplicate_id" })
		if i < 0 || !problems[i].Fatal || problems[i].Line != 1 || problems[i].Column == 0 {
			t.Errorf("the problems are %+v", problems)
		}
	}
}

func TestEditOfAnOlderRevisionIsRebasedOrRefused(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	mustAnswer[doneView](t, edit("3", "note", "theirs").to(t, s), 200)
	v := mustAnswer[doneView](t, edit("3", "name", "yours").to(t, s), 200)
	if !v.Rebased || v.Revision != 5 || len(v.Between) != 1 || v.Between[0].Revision != 4 || len(v.Between[0].Ops) != 1 {
		t.Errorf("rebased: %+v", v)
	}
	d := mustProblem(t, edit("3", "note", "yours").to(t, s), 409, "edit_conflict")
	want := []conflictView{{Touched: "note", Yours: drafttest.SetText("note", "yours"), Theirs: drafttest.SetText("note", "theirs"), By: v.Between[0]}}
	if diff := cmp.Diff(want, d.Conflicts); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	if got := draftOf(t, s); got.Revision != 5 || !strings.Contains(got.HTML, "theirs") {
		t.Errorf("the refused edit left %+v", got)
	}
}

func TestEditThatIsSentAgainIsTakenOnce(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	c := edit("3", "name", strings.Repeat("x", 2*replayBody)).with("Idempotency-Key", "e1")
	for range 2 { // the second time because the first answer was lost
		if v := mustAnswer[doneView](t, c.to(t, s), 200); v.Revision != 4 || v.Rebased {
			t.Errorf("revision %d, rebased %v", v.Revision, v.Rebased)
		}
	}
	if got := draftOf(t, s).Revision; got != 4 {
		t.Errorf("the draft has revision %d", got)
	}
}

func TestEditThatCannotBeIsRefusedAndChangesNothing(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	patch := func(header, body string) call {
		return call{method: http.MethodPatch, path: draftPath, body: body}.with("If-Match", header)
	}
	for name, c := range map[string]struct {
		call   call
		status int
		slug   string
	}{
		"no If-Match":          {call{method: http.MethodPatch, path: draftPath, body: `{"ops":[{}]}`}, 428, "if_match_missing"},
		"a strange If-Match":   {patch(`"abc"`, `{"ops":[{}]}`), 400, "bad_if_match"},
		"a revision to come":   {edit("9", "name", "x"), 412, "revision_gone"},
		"no operations":        {patch(`"3"`, `{"ops":[]}`), 422, "out_of_range"},
		"no JSON":              {patch(`"3"`, `{"ops":`), 400, "malformed_body"},
		"two bodies":           {patch(`"3"`, `{"ops":[{}]} {}`), 400, "malformed_body"},
		"an unknown key":       {patch(`"3"`, `{"op":[]}`), 400, "malformed_body"},
		"too many operations":  {patch(`"3"`, `{"ops":[{}`+strings.Repeat(",{}", maxOps)+`]}`), 422, "out_of_range"},
		"the folder as author": {patch(`"3"`, `{"ops":[{}],"author":" file "}`), 422, "invalid"},
		"an unknown element":   {edit("3", "name", "x", "nobody", "y"), 422, "invalid"},
		"a broken document":    {edit("3", "name", "{{ ("), 422, "bad_expression"},
		"too large a body":     {patch(`"3"`, `{"ops":["`+strings.Repeat("x", maxEdit)+`"]}`), 413, "too_large"},
	} {
		d := mustProblem(t, c.call.to(t, s), c.status, c.slug)
		if name == "a broken document" && (len(d.Errors) != 1 || d.Errors[0].Line != 1 || d.Errors[0].Column != 14) {
			t.Errorf("%s: errors %+v, want the place", name, d.Errors)
		}
		if name == "an unknown element" && (len(d.Errors) != 1 || d.Errors[0].Field != "ops[1].id") {
			t.Errorf("%s: errors %+v, want the operation", name, d.Errors)
		}
		if got := draftOf(t, s); got.Revision != 3 {
			t.Fatalf("%s left revision %d", name, got.Revision)
		}
	}
}

func TestUndoTakesBackTheAuthorsLastStep(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	mustAnswer[doneView](t, edit("3", "name", "Ada's").to(t, s), 200)
	undo := post(draftPath+"/undo", `{"author":"Ada"}`).with("Idempotency-Key", "u1")
	for range 2 { // the second time because the first answer was lost
		if v := mustAnswer[doneView](t, undo.to(t, s), 200); v.Revision != 5 || v.Draft.HTML != certificate {
			t.Errorf("undone: %+v", v)
		}
	}
	mustProblem(t, post(draftPath+"/undo", `{"author":"Bob"}`).to(t, s), 409, "nothing_to_undo")
	mustProblem(t, post("/templates/none/draft/undo", "").to(t, s), 404, "template_not_found")
}

func TestStepIsByTheKeyThatTookIt(t *testing.T) {
	s := mustServer(t, locked(Key{Name: "studio", Key: config.NewSecret(fullKey)}), newWorld())
	c := edit("3", "name", "x").bearer(fullKey)
	c.body = strings.Replace(c.body, `"author":"Ada",`, "", 1)
	if v := mustAnswer[doneView](t, c.to(t, s), 200); v.Draft.Author != "studio" {
		t.Errorf("it is by %q", v.Draft.Author)
	}
}

func TestDiscardedDraftIsTheNewestVersion(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	discard := call{method: http.MethodDelete, path: draftPath}
	mustAnswer[doneView](t, edit("3", "name", "x").to(t, s), 200)
	mustProblem(t, discard.with("If-Match", `"3"`).to(t, s), 412, "stale_revision")
	out := discard.with("If-Match", `"4"`).to(t, s)
	v := mustAnswer[struct{ Draft draftView }](t, out, 200).Draft
	if v.HTML != certificate || v.Open || v.Revision != 5 || out.Header().Get("ETag") != `"5"` {
		t.Errorf("discarded it is %+v", v)
	}
	// Whoever saw the discarded draft is told that all of it has gone.
	d := mustProblem(t, edit("4", "note", "x").to(t, s), 409, "edit_conflict")
	if len(d.Conflicts) != 1 || d.Conflicts[0].Touched != draft.Everything || string(d.Conflicts[0].Theirs) != "null" {
		t.Errorf("conflicts %+v", d.Conflicts)
	}
}

func TestPublishedDraftIsAVersion(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	publish := post("/templates/"+testTemplate+"/publish", `{"author":"Bob","over":"d9"}`)
	mustAnswer[doneView](t, edit("3", "name", "x").to(t, s), 200)
	mustProblem(t, publish.to(t, s), 428, "if_match_missing")
	mustProblem(t, publish.with("If-Match", `"3"`).to(t, s), 412, "stale_revision")
	w.unwritten = problemOfFolder
	out := publish.with("If-Match", `"4"`).to(t, s)
	v := mustAnswer[struct {
		Version   versionView
		Changed   bool
		FileError string
	}](t, out, 200)
	if v.Version.Version != 4 || !v.Changed || out.Header().Get("ETag") != `"4"` || v.FileError != problemOfFolder.Error() {
		t.Errorf("published %+v", v)
	}
	if diff := cmp.Diff([]draft.Publication{{Name: testTemplate, Revision: 4, Over: "d9", Author: "Bob"}}, w.published); diff != "" {
		t.Errorf("publications (-want +got):\n%s", diff)
	}
}

func TestPublishingOverWhatCameInBetweenShowsBothTexts(t *testing.T) {
	w := newWorld()
	w.inTheWay = &draft.VersionError{Theirs: []byte("<p>theirs"), Yours: []byte("<p>yours"), Number: 4, Digest: "d4", Why: moved}
	s := mustServer(t, open(), w)
	for _, c := range []call{
		post("/templates/"+testTemplate+"/publish", "").with("If-Match", `"3"`),
		call{method: http.MethodPut, path: "/templates/" + testTemplate, body: "<p>yours"}.with("If-Match", `"3"`).with("Content-Type", "text/html"),
	} {
		d := mustProblem(t, c.to(t, s), 409, "version_moved")
		if d.Texts == nil || *d.Texts != (textsView{"<p>theirs", "<p>yours", 4, "d4"}) {
			t.Errorf("%s: texts %+v", c.method, d.Texts)
		}
	}
}

func TestForecastCountsTheImagesOfEachBinding(t *testing.T) {
	w := newWorld()
	w.forecast = draft.Forecast{Revision: 5, Base: 3, Bindings: []draft.BindingForecast{
		{Binding: "cards", Images: 40, Reused: 2, Unchanged: 8, Failing: 1, Failures: []draft.Failure{{Key: "k%2F2", Code: "missing_variable", Field: "variables.photo", Error: "the photo is missing"}}},
		{Binding: "private", Error: mappedNothing},
	}}
	s := mustServer(t, open(), w)
	for _, c := range []call{get("/templates/" + testTemplate + "/publish"), get(draftPath + "/publish"), post("/templates/"+testTemplate+"/publish", `{"dryRun":true}`)} {
		v := mustAnswer[forecastView](t, c.to(t, s), 200)
		want := forecastView{
			TemplateUID: testTemplate, Revision: 5, Base: 3, Images: 40, Reused: 2, Unchanged: 8, FailingRows: 1,
			Bindings: []bindingForecastView{
				{Name: "cards", Images: 40, Reused: 2, Unchanged: 8, FailingRows: 1, Failures: []failedView{{"k%2F2", "k/2", "missing_variable", "the photo is missing", "variables.photo"}}},
				{Name: "private", Failures: []failedView{}, Error: mappedNothing.Error(), Errors: []fieldError{{Field: "map.title", Message: "no such variable", Code: "unknown_variable"}}},
			},
		}
		if diff := cmp.Diff(want, v); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.method, c.path, diff)
		}
	}
	if len(w.published) != 0 {
		t.Error("it was published")
	}
}

func TestDraftsNeedTheirScopeAndTheirTemplate(t *testing.T) {
	reader, other := "key-that-may-only-read", "key-of-another-template"
	s := mustServer(t, locked(
		Key{Name: "reader", Key: config.NewSecret(reader), Scopes: []Scope{TemplatesRead}},
		Key{Name: "other", Key: config.NewSecret(other), Templates: []string{"badge"}},
	), newWorld())
	mustAnswer[map[string]any](t, get(draftPath).bearer(reader).to(t, s), 200)
	for _, c := range []call{
		edit("3", "name", "x"), post(draftPath+"/undo", ""), {method: http.MethodDelete, path: draftPath},
		post("/templates/"+testTemplate+"/publish", "").with("If-Match", `"3"`), post("/templates/"+testTemplate+"/versions/1/restore", ""),
		{method: http.MethodPut, path: "/templates/" + testTemplate, body: "<p>", header: map[string]string{"If-Match": `"3"`, "Content-Type": "text/html"}},
		post("/templates", `{"name":"`+testTemplate+`","html":"<p>"}`),
	} {
		mustProblem(t, c.bearer(reader).to(t, s), 403, "scope_missing")
		mustProblem(t, c.bearer(other).to(t, s), 404, "template_not_found")
	}
	for _, path := range []string{draftPath, "/templates/" + testTemplate + "/versions", "/templates/" + testTemplate + "/archive.zip", "/templates/" + testTemplate + "/publish"} {
		mustProblem(t, get(path).bearer(other).to(t, s), 404, "template_not_found")
	}
}
