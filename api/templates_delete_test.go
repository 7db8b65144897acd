package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// deleteTemplate is the Deps' DeleteTemplateFunc.
func (w *world) deleteTemplate(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.templates[name]; !ok {
		return problem.New(problem.NotFound, "there is no template %q", name).WithSlug("template_not_found")
	}
	return w.templateInUse
}

func TestTemplateIsDeletedUnlessSomethingUsesIt(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	remove := func(name string) call { return call{method: http.MethodDelete, path: "/templates/" + name} }
	if out := remove("tpl_certificate").to(t, s); out.Code != 204 {
		t.Errorf("status %d: %s", out.Code, out.Body)
	}
	mustProblem(t, remove("nobody").to(t, s), 404, "template_not_found")
	w.templateInUse = &InUseError{Kind: "template", Name: "tpl_certificate", Users: []string{"cards"}}
	if d := mustProblem(t, remove("tpl_certificate").to(t, s), 409, "in_use"); !strings.Contains(d.Detail, "cards") && !strings.Contains(d.Detail, "1 more") {
		t.Errorf("%q names no binding", d.Detail)
	}
	other := mustServer(t, locked(Key{Name: "ci", Key: secret("key-for-another-template"), Templates: []string{"card"}}), w)
	mustProblem(t, remove("tpl_certificate").bearer("key-for-another-template").to(t, other), 404, "template_not_found")
}

func TestTemplatesAreSearchedAndPaged(t *testing.T) {
	w := newWorld()
	for _, name := range []string{"badge", "card-large", "card-small", "poster"} {
		v := w.templates["tpl_certificate"]
		v.Name = name
		w.templates[name] = v
	}
	s := mustServer(t, open(), w)
	for query, want := range map[string]string{
		"":                            "badge card-large card-small poster tpl_certificate",
		"?q=CARD":                     "card-large card-small",
		"?limit=2":                    "badge card-large, and more behind card-large",
		"?limit=2&after=card-large":   "card-small poster, and more behind poster",
		"?limit=1&q=card&after=badge": "card-large, and more behind card-large",
		"?limit=2&q=card":             "card-large card-small",
		"?q=nothing":                  "",
	} {
		page := mustAnswer[templatePage](t, get("/templates"+query).to(t, s), 200)
		var names []string
		for _, v := range page.Templates {
			names = append(names, v.Name)
		}
		got := strings.Join(names, " ")
		if page.NextAfter != nil {
			got += ", and more behind " + *page.NextAfter
		}
		if got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
	mustProblem(t, get("/templates?limit=0").to(t, s), 422, "out_of_range")
}
