package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/pixels"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/layout"
)

// goldenDir holds the pictures that templates are held against, one folder each.
const goldenDir = "golden"

// goldenRows is how many sample rows have golden pictures.
const goldenRows = 3

// proofClock is what now() says in a proof, so that pictures stay the same.
var proofClock = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// A Proof renders the sample rows of templates and holds the pictures against
// the golden ones beside them.
type Proof struct {
	Dir    string   // the templates folder
	Names  []string // none: all
	Update bool     // the pictures become the golden ones
	Out    string   // where got, want and difference of a failure go; "" keeps them nowhere
	Render chrome.Config
	Log    *slog.Logger
	// EachFunc is told of each picture as it is done.
	EachFunc func(ProofResult)
}

// NewProof proves templates of a folder with the browser of this machine.
func NewProof(dir string, names []string, log *slog.Logger) Proof {
	return Proof{Dir: dir, Names: names, Render: chrome.DefaultConfig(), Log: log}
}

// A ProofResult is one picture of a proof.
type ProofResult struct {
	Template string   `json:"template"`
	Picture  string   `json:"picture"` // "0-story-dark": the sample row, the size, the theme
	Err      error    `json:"-"`       // why there is none, or how it differs
	Problem  string   `json:"error,omitempty"`
	Written  string   `json:"written,omitempty"` // the golden picture that was written
	Warnings []string `json:"warnings,omitempty"`
}

// Run proves the templates. The error is the surroundings' or the folder's; what
// is wrong with pictures stands in the results.
func (p Proof) Run(ctx context.Context) ([]ProofResult, error) {
	fsys := os.DirFS(p.Dir)
	names := p.Names
	if len(names) == 0 {
		var err error
		if names, err = listTemplates(p.Dir); err != nil {
			return nil, err
		}
	}
	files := &memory{blobs: map[string][]byte{}}
	library := assets.New(&http.Client{Transport: noNetwork{}}, files, files, assets.Limits{})
	pool, err := chrome.Open(ctx, p.Render, library, chrome.Options{Log: p.Log})
	if err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = pool.Close(ctx)
	}()
	var all []ProofResult
	for _, name := range names {
		t, rows, err := loadProof(ctx, fsys, name, library)
		if err != nil {
			return all, err
		}
		all = append(all, p.proveAll(ctx, pool, t, proofCases(t, rows))...)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
	}
	return all, nil
}

// proveAll draws the cases as many at a time as the pool has places, and tells of
// them in their order.
func (p Proof) proveAll(ctx context.Context, pool *chrome.Pool, t *template.Template, cases []proofCase) []ProofResult {
	results := make([]ProofResult, len(cases))
	done := make([]chan struct{}, len(cases))
	var g errgroup.Group
	g.SetLimit(pool.Slots())
	for i := range cases {
		done[i] = make(chan struct{})
	}
	go func() { // adding waits for a place, and telling must not wait for that
		for i, c := range cases {
			g.Go(func() error {
				defer close(done[i])
				results[i] = p.prove(ctx, pool, t, c)
				return nil
			})
		}
	}()
	for i := range cases {
		<-done[i]
		if results[i].Err != nil {
			results[i].Problem = results[i].Err.Error()
		}
		if p.EachFunc != nil {
			p.EachFunc(results[i])
		}
	}
	_ = g.Wait() // all of them are done
	return results
}

// loadProof reads a template with its assets and its sample rows; without those
// the examples are the one row.
func loadProof(ctx context.Context, fsys fs.FS, name string, library *assets.Library) (*template.Template, []map[string]any, error) {
	src, files, err := template.Load(fsys, name)
	if err != nil {
		return nil, nil, err
	}
	digests := make(map[string]string, len(files))
	for path, data := range files {
		if digests[path], err = library.Put(ctx, data, ""); err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	t, err := template.Parse(name, src, digests)
	if err != nil {
		return nil, nil, err
	}
	rows, err := template.LoadRows(fsys, name)
	if err == nil && len(rows) == 0 {
		rows = []map[string]any{t.Examples()}
	}
	return t, rows, err
}

// A proofCase is one picture wanted.
type proofCase struct {
	row    int
	values map[string]any
	view   template.View
	golden bool
}

func (c proofCase) name() string {
	name := strconv.Itoa(c.row) + "-" + c.view.Size
	if c.view.Theme != "" {
		name += "-" + c.view.Theme
	}
	if c.view.Page > 1 {
		name += "-p" + strconv.Itoa(c.view.Page)
	}
	return name
}

// proofCases are the first row in every size, theme and page, and the other rows
// in the default size. Golden are what shows something of its own: the first row
// in each size, in each theme, on each page, and the next two rows.
func proofCases(t *template.Template, rows []map[string]any) []proofCase {
	var cases []proofCase
	first := t.Sizes()[0].Name
	for i, row := range rows {
		for _, size := range t.Sizes() {
			for _, theme := range append([]string{""}, t.Themes()...) {
				if i > 0 && (size.Name != first || theme != "") {
					continue
				}
				for page := range pagesOf(t, row, size.Name) {
					golden := i < goldenRows && (i == 0 || page == 0) && (theme == "" && page == 0 || size.Name == first && (theme == "" || page == 0))
					cases = append(cases, proofCase{i, row, template.View{Size: size.Name, Theme: theme, Page: page + 1}, golden})
				}
			}
		}
	}
	return cases
}

// pagesOf is how many pages the row makes; a row that is refused makes one, which
// says why.
func pagesOf(t *template.Template, row map[string]any, size string) int {
	values, err := t.Resolve(row, proofClock)
	page, pageErr := t.Page(template.View{Size: size})
	if err != nil || pageErr != nil {
		return 1
	}
	return max(page.Pages(values), 1)
}

func (p Proof) prove(ctx context.Context, pool *chrome.Pool, t *template.Template, c proofCase) ProofResult {
	r := ProofResult{Template: t.Name(), Picture: c.name()}
	got, err := drawProof(ctx, pool, t, c, &r)
	if err != nil {
		r.Err = err
		return r
	}
	if !c.golden {
		return r
	}
	path := filepath.Join(p.Dir, goldenDir, t.Name(), c.name()+".png")
	if p.Update {
		r.Err = updateGolden(path, got, &r)
		return r
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.Err = problem.New(problem.NotFound, "there is no golden picture %s", path).WithHint("pictifyd template test --update makes it")
		return r
	}
	if err == nil {
		err = p.compare(t.Name()+"-"+c.name(), got, want)
	}
	r.Err = err
	return r
}

// drawProof is the picture of one case as PNG.
func drawProof(ctx context.Context, pool *chrome.Pool, t *template.Template, c proofCase, r *ProofResult) ([]byte, error) {
	values, err := t.ResolveIn(c.values, expr.Env{Now: proofClock})
	if err != nil {
		return nil, err
	}
	page, err := t.Page(c.view)
	if err != nil {
		return nil, err
	}
	doc := page.Fill(values)
	if len(doc.Remote) > 0 { // a proof has no network: what can do without, does
		failed := map[string]string{}
		for _, remote := range doc.Remote {
			failed[remote.Path] = assets.Unreachable
		}
		doc = page.FillWithout(values, failed)
	}
	request := render.Request{Page: page.Digest, HTML: doc.HTML, Width: doc.Width, Height: doc.Height, Format: render.PNG}
	if page.Layout {
		request.Layout = layout.Script
	}
	for _, a := range doc.Assets {
		request.Assets = append(request.Assets, render.Asset{Path: a.Path, Digest: a.Digest})
	}
	out, err := pool.Render(ctx, request)
	if err != nil {
		return nil, err
	}
	for _, w := range fittingOf(out, doc.Instead).Warnings("") {
		if w.Code != "image_fallback" {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s: %s", w.Layer, w.Message))
		}
	}
	return out.Bytes, nil
}

// updateGolden writes the picture where it differs from the one that is there.
func updateGolden(path string, got []byte, r *ProofResult) error {
	if before, err := os.ReadFile(path); err == nil {
		if c, err := comparePNG(got, before); err == nil && c.Agree() {
			return nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	text, err := smallPNG(got)
	if err != nil {
		return err
	}
	r.Written = path
	return os.WriteFile(path, text, 0o644)
}

// smallPNG is the picture in fewer bytes: Chrome's are made in a hurry.
func smallPNG(text []byte) ([]byte, error) {
	m, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("decode the picture: %w", err)
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, m); err != nil {
		return nil, err
	}
	if b.Len() > len(text) {
		return text, nil
	}
	return b.Bytes(), nil
}

func comparePNG(got, want []byte) (pixels.Comparison, error) {
	var m [2]image.Image
	for i, text := range [][]byte{got, want} {
		var err error
		if m[i], err = png.Decode(bytes.NewReader(text)); err != nil {
			return pixels.Comparison{}, fmt.Errorf("decode a picture: %w", err)
		}
	}
	return pixels.Compare(m[0], m[1]), nil
}

// compare holds a picture against the golden one and leaves both, and what
// differs, in the folder Out.
func (p Proof) compare(name string, got, want []byte) error {
	c, err := comparePNG(got, want)
	if err != nil || c.Agree() {
		return err
	}
	differs := problem.New(problem.Invalid, "the picture differs from the golden one: %s", differing(c)).WithSlug("picture_differs").
		WithHint("look at it; pictifyd template test --update makes it the golden one")
	if p.Out == "" {
		return differs
	}
	if err := p.keep(name, got, want, c); err != nil {
		return errors.Join(differs, err)
	}
	differs.Message += "; see " + filepath.Join(p.Out, name) + "-{got,want,difference}.png"
	return differs
}

func differing(c pixels.Comparison) string {
	switch {
	case !c.SameSize:
		return "another size"
	case !c.SameAlpha:
		return "another opacity"
	}
	return fmt.Sprintf("%.2f %% of the pixels, most around %d,%d (%.0f %% there)", 100*c.Share, c.Worst.X, c.Worst.Y, 100*c.WorstTile)
}

func (p Proof) keep(name string, got, want []byte, c pixels.Comparison) error {
	if err := os.MkdirAll(p.Out, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{"got": got, "want": want}
	if c.Marks != nil {
		var b bytes.Buffer
		if err := png.Encode(&b, c.Marks); err != nil {
			return err
		}
		files["difference"] = b.Bytes()
	}
	for kind, text := range files {
		if err := os.WriteFile(filepath.Join(p.Out, name+"-"+kind+".png"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// memory keeps assets while a proof runs.
type memory struct{ blobs map[string][]byte }

func (m *memory) AssetPin(context.Context, string) (assets.Pin, bool, error) {
	return assets.Pin{}, false, nil
}

func (m *memory) SaveAssetPin(context.Context, string, assets.Pin) error { return nil }

func (m *memory) Put(_ context.Context, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	m.blobs[hash] = data
	return hash, nil
}

func (m *memory) Open(_ context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	data, ok := m.blobs[hash]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(data), io.NopCloser(nil)}, int64(len(data)), nil
}

// noNetwork answers no request.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, problem.New(problem.Upstream, "a proof reaches no network")
}
