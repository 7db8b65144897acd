package daemon

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/store/blob"
	"github.com/pictifyd/pictifyd/template"
)

// A shelf keeps template versions, and counts what was written to it.
type shelf struct {
	versions map[string][]template.Version
	files    map[string]string
	writes   int
}

func (s *shelf) TakeFile(_ context.Context, v template.Version) (template.Version, error) {
	s.writes++
	s.files[v.Name] = v.Digest
	v.Number = int64(len(s.versions[v.Name]) + 1)
	s.versions[v.Name] = append(s.versions[v.Name], v)
	return v, nil
}

func (s *shelf) Template(_ context.Context, name string, number int64) (template.Version, error) {
	all := s.versions[name]
	if number == 0 {
		number = int64(len(all))
	}
	if number < 1 || number > int64(len(all)) {
		return template.Version{}, problem.New(problem.NotFound, "there is no template %q", name)
	}
	return all[number-1], nil
}

func (s *shelf) TemplateVersions(_ context.Context, name string, _ int64, _ int) ([]template.Version, error) {
	all := slices.Clone(s.versions[name])
	slices.Reverse(all)
	return all, nil
}

func (s *shelf) TemplateFile(_ context.Context, name string) (string, error) {
	return s.files[name], nil
}

func (s *shelf) RememberFile(_ context.Context, name, digest string) error {
	s.files[name] = digest
	return nil
}

// newTemplates is a folder with the template card, and no hints of changes.
func newTemplates(t *testing.T) (*templates, *shelf) {
	t.Helper()
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "card.html"), cardTemplate)
	s := &shelf{versions: map[string][]template.Version{}, files: map[string]string{}}
	return &templates{
		dir: dir, write: true, versions: s, faults: &faults{}, log: quiet(t), crash: func(string) {},
		notifyFunc: func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") },
	}, s
}

func mustWrite(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestTemplateFolderWithoutHintsIsReadAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := newTemplates(t)
		ctx, cancel := context.WithCancel(t.Context())
		var changed []string
		ended := make(chan error, 1)
		go func() { ended <- l.watch(ctx, func(names []string) { changed = append(changed, names...) }) }()
		time.Sleep(2 * settle)
		synctest.Wait()
		if want := []string{"card"}; !slices.Equal(changed, want) {
			t.Errorf("at the start %v has a new version, want %v", changed, want)
		}
		mustWrite(t, filepath.Join(l.dir, "label.html"), cardTemplate)
		time.Sleep(templateCheck)
		synctest.Wait()
		if want := []string{"card", "label"}; !slices.Equal(changed, want) {
			t.Errorf("after the interval %v has new versions, want %v", changed, want)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestUnchangedTemplatesAreReadWithoutAWrite(t *testing.T) {
	l, s := newTemplates(t)
	for range 3 {
		if _, err := l.sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.writes != 1 {
		t.Errorf("%d writes, want 1 for the first version", s.writes)
	}
}

// publishElsewhere makes a document with a logo the newest version, as the API does.
func (s *shelf) publishElsewhere(tb testing.TB, source, logo string) template.Version {
	tb.Helper()
	assets := map[string]string{"assets/brand/logo.gif": bindings.Digest([]byte(logo))}
	form, err := template.Parse("card", []byte(source), assets)
	if err != nil {
		tb.Fatal(err)
	}
	v := template.Version{Name: "card", Number: int64(len(s.versions["card"]) + 1), Digest: form.Digest(), Source: []byte(source), Assets: assets}
	s.versions["card"] = append(s.versions["card"], v)
	return v
}

// The plug is pulled after the new picture, and before the new text: this is the
// older version, not a newer one.
func TestFileThatIsHalfWrittenIsWrittenToItsEnd(t *testing.T) {
	l, s := newTemplates(t)
	path := filepath.Join(l.dir, "card.html")
	v := s.publishElsewhere(t, withLogo, pixel)
	s.files["card"] = v.Digest
	next := s.publishElsewhere(t, strings.Replace(withLogo, "700 32px", "700 40px", 1), pixel+"\x00")
	if err := os.MkdirAll(filepath.Join(l.dir, "assets/brand"), 0o755); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, path, withLogo)
	mustWrite(t, filepath.Join(l.dir, "assets/brand/logo.gif"), pixel+"\x00")
	if names, err := l.sync(t.Context()); err != nil || len(names) != 0 || s.writes != 0 {
		t.Fatalf("%v have new versions, with %d writes, %v", names, s.writes, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != string(next.Source) {
		t.Errorf("the file is %s, %v", text, err)
	}
	if s.files["card"] != next.Digest {
		t.Error("what was written is not remembered")
	}
	// A picture that nobody published is a change like any other.
	l, s = newTemplates(t)
	s.files["card"] = s.publishElsewhere(t, withLogo, pixel).Digest
	s.publishElsewhere(t, strings.Replace(withLogo, "700 32px", "700 40px", 1), pixel)
	if err := os.MkdirAll(filepath.Join(l.dir, "assets/brand"), 0o755); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(l.dir, "card.html"), withLogo)
	mustWrite(t, filepath.Join(l.dir, "assets/brand/logo.gif"), pixel+"\x01")
	l.assets = assets.New(http.DefaultClient, nil, newBlobs(t), assets.Limits{})
	if names, err := l.sync(t.Context()); err != nil || len(names) != 1 || s.writes != 1 {
		t.Errorf("%v have new versions, with %d writes, %v", names, s.writes, err)
	}
}

func newBlobs(t *testing.T) blob.Store {
	t.Helper()
	blobs, err := blob.Open(blob.Config{URL: "file:blobs"}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
	})
	return blobs
}

func TestTemplatesAreWrittenUnlessTheConfigurationSaysNo(t *testing.T) {
	for yaml, want := range map[string]Templates{
		"":                           {"templates", true},
		"templates: cards":           {"cards", true},
		"templates: { path: cards }": {"cards", true},
		"templates: { path: cards, write: false }": {"cards", false},
		"templates: { write: false }":              {"templates", false},
	} {
		s, err := decode("pictifyd.yaml", []byte("server: {}\n"+yaml+"\n"), config.Options{Dir: t.TempDir()}, nil, nil)
		if err != nil || s.Templates != want {
			t.Errorf("%q: %+v, %v, want %+v", yaml, s.Templates, err, want)
		}
	}
}

func TestMissingTemplatesFolderSaysWhatToDo(t *testing.T) {
	s := newSite(t, "")
	if err := os.RemoveAll(filepath.Join(s.dir, "templates")); err != nil {
		t.Fatal(err)
	}
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), settings, Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "make it") {
		t.Errorf("got %v, want a problem with its next step", err)
	}
}

func TestEditorsFilesAreNoHint(t *testing.T) {
	for name, want := range map[string]bool{
		"templates/card.html": true, "templates/assets": true, "templates/..data": true,
		"templates/.card.html.swp": false, "templates/..data_tmp": false, "templates/.git": false,
	} {
		if got := concerns(fsnotify.Event{Name: name}); got != want {
			t.Errorf("concerns(%s) = %t, want %t", name, got, want)
		}
	}
}

func TestReplacedTemplatesFolderIsRead(t *testing.T) {
	for name, replace := range map[string]func(s *site) error{
		"by another folder": func(s *site) error {
			s.write("next/card.html", strings.Replace(cardTemplate, "700 32px", "700 40px", 1))
			if err := os.Rename(filepath.Join(s.dir, "templates"), filepath.Join(s.dir, "before")); err != nil {
				return err
			}
			return os.Rename(filepath.Join(s.dir, "next"), filepath.Join(s.dir, "templates"))
		},
		"as Kubernetes does it": func(s *site) error {
			s.write("templates/..2/card.html", strings.Replace(cardTemplate, "700 32px", "700 40px", 1))
			tmp := filepath.Join(s.dir, "templates", "..data_tmp")
			if err := os.Symlink("..2", tmp); err != nil {
				return err
			}
			return os.Rename(tmp, filepath.Join(s.dir, "templates", "..data"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			mounted(t, s)
			url, _ := s.run(Options{Renderer: &rendertest.Null{}})
			p := &process{tb: t, url: url}
			if err := replace(s); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the new version", func() bool { return strings.Contains(p.text("/templates/card"), `"version":2`) })
		})
	}
}

// mounted lays the templates out as Kubernetes mounts a ConfigMap.
func mounted(t *testing.T, s *site) {
	t.Helper()
	s.write("templates/..1/card.html", cardTemplate)
	dir := filepath.Join(s.dir, "templates")
	if err := os.Remove(filepath.Join(dir, "card.html")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"..data": "..1", "card.html": "..data/card.html"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
}
