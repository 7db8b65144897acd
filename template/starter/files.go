package starter

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/markup"
)

const rowsSuffix = ".rows.json"

// Files are the files of a starter by their paths: NAME.html, NAME.rows.json,
// and of the assets those that the document or a sample row shows, with the
// licence of each font among them. No starter of that name is a problem NotFound
// that says which one was most likely meant.
func Files(name string) (map[string][]byte, error) {
	if err := known(name); err != nil {
		return nil, err
	}
	return files(name)
}

// Make is a new template called name: the files of a starter under that name,
// which its manifest has too, and so has the folder of its own pictures. From ""
// it is a blank document with one page.
func Make(name, from string) (map[string][]byte, error) {
	var all map[string][]byte
	var err error
	if from == "" {
		from = blank
		all, err = files(blank)
	} else {
		all, err = Files(from)
	}
	if err != nil {
		return nil, err
	}
	own, its := []byte("assets/"+from+"/"), []byte("assets/"+name+"/")
	made := make(map[string][]byte, len(all))
	for path, data := range all {
		switch path {
		case from + ".html":
			path, data = name+".html", named(bytes.ReplaceAll(data, own, its), name)
		case from + rowsSuffix:
			path, data = name+rowsSuffix, bytes.ReplaceAll(data, own, its)
		default:
			path = strings.Replace(path, string(own), string(its), 1)
		}
		made[path] = data
	}
	return made, nil
}

func files(name string) (map[string][]byte, error) {
	fsys := folder()
	src, assets, err := template.Load(fsys, name)
	if err != nil {
		return nil, err
	}
	rows, err := fs.ReadFile(fsys, name+rowsSuffix)
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{name + ".html": src, name + rowsSuffix: rows}
	shown := mentioned(src, rows)
	if err := filled(fsys, name, shown); err != nil {
		return nil, err
	}
	for file := range shown {
		data, ok := assets[file]
		if !ok {
			continue // a word that looks like a path
		}
		all[file] = data
		if licence := licenceOf(fsys, file); licence != "" {
			if all[licence], err = fs.ReadFile(fsys, licence); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

var assetPath = regexp.MustCompile(`\bassets/[A-Za-z0-9._/-]+`)

// mentioned are the assets that stand in the texts, in expressions as well.
func mentioned(texts ...[]byte) map[string]bool {
	paths := map[string]bool{}
	for _, text := range texts {
		for _, found := range assetPath.FindAll(text, -1) {
			paths[string(found)] = true
		}
	}
	return paths
}

// filled adds the assets whose paths the sample rows make.
func filled(fsys fs.FS, name string, paths map[string]bool) error {
	_, t, err := load(fsys, name)
	if err != nil {
		return err
	}
	rows, err := template.LoadRows(fsys, name)
	if err != nil {
		return err
	}
	for _, row := range rows {
		values, err := t.Resolve(row, time.Unix(0, 0))
		if err != nil {
			return err
		}
		for _, view := range views(t) {
			page, err := t.Page(view)
			if err != nil {
				return err
			}
			for _, a := range page.Fill(values).Assets {
				paths[strings.TrimPrefix(a.Path, "/")] = true
			}
		}
	}
	return nil
}

// views are the sizes and themes of a template, each with each.
func views(t *template.Template) []template.View {
	var all []template.View
	for _, size := range t.Sizes() {
		for _, theme := range append([]string{""}, t.Themes()...) {
			all = append(all, template.View{Size: size.Name, Theme: theme})
		}
	}
	return all
}

// licenceOf is the file beside a font that says under which terms it may be
// passed on: LICENSE-inter.txt for inter-latin.woff2. "" where there is none.
func licenceOf(fsys fs.FS, font string) string {
	licences, err := fs.Glob(fsys, path.Join(path.Dir(font), "LICENSE-*.txt"))
	if err != nil {
		return "" // only a malformed pattern, which a folder's name could be
	}
	best := ""
	for _, licence := range licences {
		family := strings.TrimSuffix(strings.TrimPrefix(path.Base(licence), "LICENSE-"), ".txt")
		if strings.HasPrefix(path.Base(font), family+"-") && len(licence) > len(best) {
			best = licence
		}
	}
	return best
}

// named is the document with another name in its manifest. All else stays as it
// is, byte for byte.
func named(src []byte, name string) []byte {
	doc := markup.Parse(src)
	manifest := doc.Find("p-template")
	if manifest == nil || len(manifest.Children) != 1 {
		return src
	}
	text := manifest.Children[0]
	start, end, ok := nameIn(text.Raw)
	if !ok {
		return src
	}
	value, err := json.Marshal(name)
	if err != nil {
		return src
	}
	text.Raw = text.Raw[:start] + string(value) + text.Raw[end:]
	return []byte(doc.Print())
}

// nameIn is the place of the value of name in a manifest.
func nameIn(text string) (start, end int, ok bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if _, err := d.Token(); err != nil {
		return 0, 0, false
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return 0, 0, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return 0, 0, false
		}
		if key == "name" {
			end := int(d.InputOffset())
			return end - len(value), end, true
		}
	}
	return 0, 0, false
}
