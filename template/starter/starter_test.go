package starter

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/markup"
)

// everyStarter is what people are told that there is.
var everyStarter = []string{
	"certificate", "event-ticket", "invoice", "job-posting", "leaderboard", "og-card",
	"product-card", "quote", "real-estate", "speaker-card", "usage-report", "year-review",
}

var clock = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func TestThereAreTwelveStarters(t *testing.T) {
	var names []string
	for _, s := range List() {
		names = append(names, s.Name)
		if s.Title == "" || s.Summary == "" || len(s.Sizes) < 2 || len(s.Variables) == 0 || s.Rows < 3 {
			t.Errorf("%s says too little of itself: %+v", s.Name, s)
		}
	}
	if diff := cmp.Diff(everyStarter, names); diff != "" {
		t.Errorf("the starters (-want +got):\n%s", diff)
	}
}

// copied is a starter as it stands in an empty folder.
func copied(t *testing.T, name string) fstest.MapFS {
	t.Helper()
	all, err := files(name)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for path, data := range all {
		fsys[path] = &fstest.MapFile{Data: data}
	}
	return fsys
}

// Templates are read from their copies, so that a file that is not copied shows.
func eachStarter(t *testing.T, check func(t *testing.T, fsys fstest.MapFS, name string)) {
	names, err := template.List(folder())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, blank) {
		t.Run(name, func(t *testing.T) { check(t, copied(t, name), name) })
	}
}

func TestStartersAreWithoutAFinding(t *testing.T) {
	eachStarter(t, func(t *testing.T, fsys fstest.MapFS, name string) {
		src, assets, err := template.Load(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := template.LoadRows(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range template.Lint(name, src, present(assets), rows) {
			t.Errorf("%v [%s]", f.Error, f.Kind())
		}
		if err := template.ErrFindings(template.Lint(name, src, present(assets), nil)); err != nil {
			t.Errorf("as a draft, which has no sample rows: %v", err)
		}
	})
}

func TestStartersAreCanonical(t *testing.T) {
	eachStarter(t, func(t *testing.T, fsys fstest.MapFS, name string) {
		src := fsys[name+".html"].Data
		once := markup.Format(markup.Parse(src))
		if diff := cmp.Diff(string(once), string(src)); diff != "" {
			t.Errorf("pictifyd template fmt changes it (-fmt +file):\n%s", diff)
		}
		if twice := markup.Format(markup.Parse(once)); string(twice) != string(once) {
			t.Errorf("formatted again it is another:\n%s", cmp.Diff(string(once), string(twice)))
		}
	})
}

func TestSampleRowsOfStartersAreShownInEveryView(t *testing.T) {
	eachStarter(t, func(t *testing.T, fsys fstest.MapFS, name string) {
		_, form, err := load(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := template.LoadRows(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range append(rows, form.Examples()) {
			values, err := form.Resolve(row, clock)
			if err != nil {
				t.Errorf("row %d: %v", i, err)
				continue
			}
			for _, view := range views(form) {
				page, err := form.Page(view)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range page.Fill(values).Assets {
					if fsys[strings.TrimPrefix(a.Path, "/")] == nil {
						t.Errorf("row %d: %s is not copied", i, a.Path)
					}
				}
			}
		}
	})
}

func TestNoFileOfAnotherStarterIsCopied(t *testing.T) {
	names, err := template.List(folder())
	if err != nil {
		t.Fatal(err)
	}
	eachStarter(t, func(t *testing.T, fsys fstest.MapFS, name string) {
		for path := range fsys {
			owner, _, inFolder := strings.Cut(strings.TrimPrefix(path, "assets/"), "/")
			if inFolder && owner != name && slices.Contains(names, owner) {
				t.Errorf("%s is copied", path)
			}
		}
	})
}

func TestFontsComeWithTheirLicences(t *testing.T) {
	eachStarter(t, func(t *testing.T, fsys fstest.MapFS, _ string) {
		for path := range fsys {
			if !strings.HasSuffix(path, ".woff2") {
				continue
			}
			licence := licenceOf(folder(), path)
			if fsys[licence] == nil {
				t.Errorf("%s is copied without its licence %q", path, licence)
			}
		}
	})
}

func TestMadeTemplateHasTheNameThatWasWanted(t *testing.T) {
	for _, from := range []string{"", "og-card"} {
		all, err := Make("spring-sale", from)
		if err != nil {
			t.Fatal(err)
		}
		src := string(all["spring-sale.html"])
		if title, _ := words([]byte(src)); title != "spring-sale" || all["spring-sale.rows.json"] == nil {
			t.Errorf("from %q: the manifest says %q; files %d", from, title, len(all))
		}
		for path, data := range all {
			if from != "" && (strings.Contains(path, from) || strings.Contains(string(data), "assets/"+from+"/")) {
				t.Errorf("%s is still the starter's", path)
			}
		}
	}
}

func TestOnlyTheNameOfTheManifestChanges(t *testing.T) {
	for src, want := range map[string]string{
		`<script type="application/json" id="p-template">{ "sizes": {"name": {}}, "name" : "old",
"vars": {"name": {}}}</script><p>name</p>`: `<script type="application/json" id="p-template">{ "sizes": {"name": {}}, "name" : "new",
"vars": {"name": {}}}</script><p>name</p>`,
		`<p>no manifest`: `<p>no manifest`,
		`<script type="application/json" id="p-template">{"vars": {}}</script>`:      `<script type="application/json" id="p-template">{"vars": {}}</script>`,
		`<script type="application/json" id="p-template">{"vars": {}, "nam</script>`: `<script type="application/json" id="p-template">{"vars": {}, "nam</script>`,
		`<script type="application/json" id="p-template">[{"name": "old"}]</script>`: `<script type="application/json" id="p-template">[{"name": "old"}]</script>`,
	} {
		if got := string(named([]byte(src), "new")); got != want {
			t.Errorf("%s\nbecame %s", src, got)
		}
	}
}

func TestUnknownStarterNamesTheNearest(t *testing.T) {
	_, err := Files("og-crad")
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.NotFound || !strings.Contains(p.Hint, `"og-card"`) {
		t.Errorf("error %v", err)
	}
	if _, err := Make("card", "nothing like it"); err == nil || !strings.Contains(err.Error(), "quote") {
		t.Errorf("error %v does not list what there is", err)
	}
	if _, err := Files("blank"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("the blank document is listed: %v", err)
	}
}
