package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/layout"
)

// number is how rows hold numbers: with the digits that they were sent with.
type number = json.Number

// clock is what now() says in every row.
var clock = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// A Workload is a template with rows, all different, that fit it. It is
// immutable and safe for concurrent use.
type Workload struct {
	name   string
	source []byte
	page   *template.Page
	rows   []map[string]any
	values []template.Values
	assets map[string][]byte // by path: "assets/shoe.jpg"
	files  Files
}

// Open makes a workload of so many rows. The same seed makes the same rows.
func Open(name string, rows int, seed uint64) (*Workload, error) {
	k, err := find(name)
	if err != nil {
		return nil, err
	}
	if rows < 1 {
		return nil, problem.New(problem.Invalid, "a workload of %d rows draws nothing", rows)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	all, err := k.files(rng)
	if err != nil {
		return nil, err
	}
	w := &Workload{name: name, source: all[name+".html"], assets: map[string][]byte{}, files: Files{}}
	digests := map[string]string{}
	for file, data := range all {
		if strings.HasPrefix(file, "assets/") {
			w.assets[file], digests[file] = data, w.files.add(file, data)
		}
	}
	t, err := template.Parse(name, w.source, digests)
	if err != nil {
		return nil, err
	}
	if w.page, err = t.Page(template.View{}); err != nil {
		return nil, err
	}
	samples, err := samplesOf(k, all[name+".rows.json"])
	if err != nil {
		return nil, err
	}
	return w, w.fillRows(t, k, samples, rows, rng)
}

// fillRows makes the rows and what each puts into the page.
func (w *Workload) fillRows(t *template.Template, k kind, samples [][]byte, rows int, rng *rand.Rand) error {
	for n := range rows {
		row, err := parseRow(samples[n%len(samples)])
		if err != nil {
			return err
		}
		k.vary(rng, n, row)
		values, err := t.Resolve(row, clock)
		if err != nil {
			return fmt.Errorf("row %d of the workload %q: %w", n, w.name, err)
		}
		w.rows, w.values = append(w.rows, row), append(w.values, values)
	}
	return nil
}

// samplesOf are the sample rows that k wants, each as JSON.
func samplesOf(k kind, text []byte) ([][]byte, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read the sample rows of %q: %w", k.name, err)
	}
	var samples [][]byte
	for _, item := range list {
		var compact bytes.Buffer
		if err := json.Compact(&compact, item); err != nil {
			return nil, err
		}
		if k.wanted == nil || k.wanted(compact.String()) {
			samples = append(samples, compact.Bytes())
		}
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("none of the sample rows of %q serves its workload", k.name)
	}
	return samples, nil
}

func parseRow(text []byte) (map[string]any, error) {
	value, err := expr.ParseJSON(string(text))
	if err != nil {
		return nil, err
	}
	row, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a sample row is no object: %.40s", text)
	}
	return row, nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Len is how many rows there are.
func (w *Workload) Len() int { return len(w.rows) }

// Row is the n-th row, as a source would send it.
func (w *Workload) Row(n int) map[string]any { return w.rows[n] }

// Files has the assets of the workload, for a renderer.
func (w *Workload) Files() Files { return w.files }

// Request fills the page with the n-th row.
func (w *Workload) Request(n int, format render.Format) render.Request {
	doc := w.page.Fill(w.values[n])
	r := render.Request{Page: w.page.Digest, HTML: doc.HTML, Width: doc.Width, Height: doc.Height, Format: format}
	if w.page.Layout {
		r.Layout = layout.Script
	}
	for _, a := range doc.Assets {
		r.Assets = append(r.Assets, render.Asset{Path: a.Path, Digest: a.Digest})
	}
	return r
}

// Files are assets in memory by their digest.
type Files map[string]file

type file struct {
	contentType string
	bytes       []byte
}

var contentTypes = map[string]string{
	".woff2": "font/woff2", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
}

func (f Files) add(name string, data []byte) (digest string) {
	sum := sha256.Sum256(data)
	digest = hex.EncodeToString(sum[:])
	f[digest] = file{contentTypes[path.Ext(name)], data}
	return digest
}

// Open gives the bytes of digest; fs.ErrNotExist if there are none.
func (f Files) Open(_ context.Context, digest string) (io.ReadCloser, string, error) {
	found, ok := f[digest]
	if !ok {
		return nil, "", fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(found.bytes)), found.contentType, nil
}
