package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template/layout"
)

// A Manifest is what workload.json of an exported workload says.
type Manifest struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Rows   int    `json:"rows"`
}

// fitting runs the layout script as soon as the files of the document are
// there, and leaves a promise of it for whoever takes the picture.
const fitting = `<script src="/layout.js"></script><script>
window.fitted = new Promise((done) => addEventListener('load', done)).then(() => document.fonts.ready).then(() => pictifydLayout(document)).then(() => document.fonts.ready);
</script>`

// Export writes the workload for other programs into dir, which they serve as
// the root of an origin: workload.json, rows.json with what stands in each row,
// assets/, and rows/0.html and so on, the documents that pictifyd itself draws,
// with the layout script in those that need it.
func (w *Workload) Export(dir string) error {
	width, height := 0, 0
	for n := range w.rows {
		r := w.Request(n, render.PNG)
		html := r.HTML
		if r.Layout != "" {
			html += fitting
		}
		width, height = r.Width, r.Height
		if err := put(filepath.Join(dir, "rows", fmt.Sprintf("%d.html", n)), []byte(html)); err != nil {
			return err
		}
		for _, a := range r.Assets { // under the paths that the documents use
			if err := put(filepath.Join(dir, filepath.FromSlash(a.Path)), w.files[a.Digest].bytes); err != nil {
				return err
			}
		}
	}
	for path, value := range map[string]any{
		"workload.json": Manifest{w.name, width, height, len(w.rows)},
		"rows.json":     w.rows,
	} {
		text, err := json.MarshalIndent(value, "", " ")
		if err != nil {
			return fmt.Errorf("encode %s: %w", path, err)
		}
		if err := put(filepath.Join(dir, path), text); err != nil {
			return err
		}
	}
	return put(filepath.Join(dir, "layout.js"), []byte(layout.Script))
}

func put(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// WriteTemplate writes the template of the workload and its assets into dir, as a
// templates folder has them.
func (w *Workload) WriteTemplate(dir string) error {
	if err := put(filepath.Join(dir, w.name+".html"), w.source); err != nil {
		return err
	}
	for path, data := range w.assets {
		if err := put(filepath.Join(dir, filepath.FromSlash(path)), data); err != nil {
			return err
		}
	}
	return nil
}
