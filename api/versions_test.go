package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

var (
	moved           = problem.New(problem.Conflict, "there is version 4 by now").WithSlug(draft.VersionMoved)
	problemOfFolder = problem.New(problem.Surroundings, "the templates folder cannot be written")
	mappedNothing   = problem.New(problem.Invalid, "no such variable").WithSlug("unknown_variable").At("map.title")
)

const versionsPath = "/templates/" + testTemplate + "/versions"

func TestVersionsAreListedNewestFirst(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	type page struct {
		Versions []versionView
		Next     int64
	}
	first := mustAnswer[page](t, get(versionsPath+"?limit=2").to(t, s), 200)
	if len(first.Versions) != 2 || first.Versions[0].Version != 3 || first.Versions[0].Author != "file" || first.Versions[0].HTML != "" || first.Next != 2 {
		t.Errorf("the first page is %+v", first)
	}
	second := mustAnswer[page](t, get(versionsPath+"?limit=2&before=2").to(t, s), 200)
	if len(second.Versions) != 1 || second.Versions[0].Version != 1 || second.Next != 0 {
		t.Errorf("the second page is %+v", second)
	}
	mustProblem(t, get("/templates/none/versions").to(t, s), 404, "template_not_found")
	mustProblem(t, get(versionsPath+"?before=x").to(t, s), 422, "out_of_range")
}

func TestVersionIsShownWithItsText(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	v := mustAnswer[struct{ Version versionView }](t, get(versionsPath+"/2").to(t, s), 200).Version
	if v.Version != 2 || v.Digest != "d2" || v.Author != "Ada" || v.HTML != "<p id=\"name\">version 2</p>\n" {
		t.Errorf("version 2 is %+v", v)
	}
	mustProblem(t, get(versionsPath+"/9").to(t, s), 404, "template_not_found")
	mustProblem(t, get(versionsPath+"/two").to(t, s), 422, "out_of_range")
}

func TestVersionsAreCompared(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	type comparison struct {
		From, To int64
		Same     bool
		Diff     string
		Sizes    draft.Changes
	}
	got := mustAnswer[comparison](t, get(versionsPath+"/1/compare?to=2").to(t, s), 200)
	want := comparison{1, 2, false, "--- tpl_certificate version 1\n+++ tpl_certificate version 2\n@@ -1,1 +1,1 @@\n-<p id=\"name\">version 1</p>\n+<p id=\"name\">version 2</p>\n",
		draft.Changes{Added: []string{}, Removed: []string{}, Changed: []string{}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("compared (-want +got):\n%s", diff)
	}
	newest := mustAnswer[comparison](t, get(versionsPath+"/1/compare").to(t, s), 200)
	if newest.To != 3 || !strings.Contains(newest.Diff, "+"+certificate) {
		t.Errorf("compared with the newest: %+v", newest)
	}
	if same := mustAnswer[comparison](t, get(versionsPath+"/2/compare?to=2").to(t, s), 200); !same.Same || same.Diff != "" {
		t.Errorf("compared with itself: %+v", same)
	}
	mustProblem(t, get(versionsPath+"/1/compare?to=9").to(t, s), 404, "template_not_found")
}

func TestRestoredVersionIsTheDraft(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	v := mustAnswer[doneView](t, post(versionsPath+"/1/restore", `{"author":"Bob"}`).to(t, s), 200)
	if v.Revision != 4 || v.Draft.HTML != "<p id=\"name\">version 1</p>\n" || v.Draft.Author != "Bob" || v.Draft.Base != 3 {
		t.Errorf("restored: %+v", v)
	}
	mustProblem(t, post(versionsPath+"/9/restore", "").to(t, s), 404, "template_not_found")
}

func TestTemplateIsShownAsTextOrAsTree(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	type answer struct{ Template templateView }
	text := mustAnswer[answer](t, get("/templates/"+testTemplate).to(t, s), 200).Template
	if text.HTML != certificate || text.Tree != nil {
		t.Errorf("as text it is %+v", text)
	}
	tree := mustAnswer[answer](t, get("/templates/"+testTemplate+"?as=tree").to(t, s), 200).Template
	if tree.HTML != "" {
		t.Errorf("as a tree it is %+v", tree)
	}
	mustProblem(t, get("/templates/"+testTemplate+"?as=canvas").to(t, s), 422, "invalid")
}
