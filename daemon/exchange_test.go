package daemon

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// pixel is a whole GIF.
const pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// withLogo is the template card with a picture of its own.
var withLogo = strings.Replace(cardTemplate, `<h1 id="title"`, `<img id="logo" src="assets/brand/logo.gif"><h1 id="title"`, 1)

// newFolder is a folder on another machine that exchanges with a daemon.
func newFolder(t *testing.T, url string, files ...string) Exchange {
	t.Helper()
	x := Exchange{Dir: t.TempDir(), Remote: client.Remote{URL: url}}
	for i := 0; i < len(files); i += 2 {
		x.write(t, files[i], files[i+1])
	}
	return x
}

func (x Exchange) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(x.Dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(x.Dir, name), text)
}

func (x Exchange) text(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(x.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mustDo checks what became of the templates.
func mustDo(t *testing.T, done []Exchanged, err error, want ...Exchanged) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestTemplateGoesThereAndBack(t *testing.T) {
	s := newSite(t, "")
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	x := newFolder(t, url, "label.html", withLogo, "assets/brand/logo.gif", pixel, "label.rows.json", "[]")

	done, err := x.Push(t.Context(), nil)
	mustDo(t, done, err, Exchanged{"label", 1, "pushed"})
	done, err = x.Push(t.Context(), nil)
	mustDo(t, done, err, Exchanged{"label", 1, "same"})

	// The daemon's own folder has it too, with its picture, and does not take it for a new version.
	if logo, err := os.ReadFile(filepath.Join(s.dir, "templates", "assets", "brand", "logo.gif")); err != nil || string(logo) != pixel {
		t.Errorf("the daemon's folder has %q, %v", logo, err)
	}
	s.folderIsRead(p)
	if v := p.text("/templates/label"); !strings.Contains(v, `"version":1,`) {
		t.Errorf("the daemon has %s", v)
	}

	y := newFolder(t, url)
	y.Dir = filepath.Join(y.Dir, "made")
	done, err = y.Pull(t.Context(), []string{"label"})
	mustDo(t, done, err, Exchanged{"label", 1, "pulled"})
	if y.text(t, "label.html") != withLogo || y.text(t, "assets/brand/logo.gif") != pixel {
		t.Errorf("pulled was\n%s", y.text(t, "label.html"))
	}
	done, err = y.Pull(t.Context(), []string{"label"})
	mustDo(t, done, err, Exchanged{"label", 1, "same"})

	// A change goes round, and back.
	y.write(t, "label.html", strings.Replace(withLogo, "700 32px", "700 40px", 1))
	done, err = y.Pull(t.Context(), []string{"label"})
	mustDo(t, done, err, Exchanged{"label", 1, "kept"})
	done, err = y.Push(t.Context(), []string{"label"})
	mustDo(t, done, err, Exchanged{"label", 2, "pushed"})
	done, err = x.Pull(t.Context(), []string{"label"})
	mustDo(t, done, err, Exchanged{"label", 2, "pulled"})
	if x.text(t, "label.html") != y.text(t, "label.html") {
		t.Error("the change did not come back")
	}
}

func TestExchangeOverwritesNobodysWorkUnseen(t *testing.T) {
	s := newSite(t, "")
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	change := func(size string) string { return strings.Replace(cardTemplate, "700 32px", "700 "+size, 1) }
	x, y := newFolder(t, url), newFolder(t, url)
	for _, folder := range []Exchange{x, y} {
		if _, err := folder.Pull(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	x.write(t, "card.html", change("40px"))
	if _, err := x.Push(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	y.write(t, "card.html", change("50px"))
	y.write(t, "badge.html", cardTemplate)
	if _, err := y.Push(t.Context(), nil); problem.CodeOf(err) != problem.Conflict || !strings.Contains(err.Error(), "this folder had version 1") {
		t.Errorf("pushed: %v", err)
	}
	p := &process{tb: t, url: url}
	if p.get("/templates/badge", nil) != http.StatusNotFound {
		t.Error("the other template was pushed all the same")
	}
	if _, err := y.Pull(t.Context(), []string{"card"}); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("pulled: %v", err)
	}
	if y.text(t, "card.html") != change("50px") {
		t.Error("the work in the folder is lost")
	}
	y.Force = true
	done, err := y.Push(t.Context(), []string{"card"})
	mustDo(t, done, err, Exchanged{"card", 3, "pushed"})
	x.write(t, "card.html", change("60px"))
	x.Force = true
	done, err = x.Pull(t.Context(), []string{"card"})
	mustDo(t, done, err, Exchanged{"card", 3, "pulled"})
	if x.text(t, "card.html") != change("50px") {
		t.Error("pull --force kept the file")
	}
	if _, err := x.Pull(t.Context(), []string{"none"}); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("pulled what is not: %v", err)
	}
}
