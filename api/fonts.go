package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/fontfile"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/writing"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A FontFamily is a family of fonts that templates can be set in.
type FontFamily struct {
	Family  string      `json:"family"`
	Origin  string      `json:"origin"` // machine, or template: one of its files
	Styles  []FontStyle `json:"styles"`
	Scripts []string    `json:"scripts"` // that it has
}

// A FontStyle is one font of a family.
type FontStyle struct {
	Style  string `json:"style"`
	Weight string `json:"weight"` // 400, or 100 900 of a font that varies
	Italic bool   `json:"italic"`
	File   string `json:"file,omitempty"` // of the template
}

// A fontsView is the families that there are.
type fontsView struct {
	Families []FontFamily `json:"families"`
	Scripts  []string     `json:"scripts"`  // all that are looked for
	Complete bool         `json:"complete"` // all fonts of the machine are told
	Note     string       `json:"note,omitempty"`
}

// A fontView is what a font file says about itself.
type fontView struct {
	Family     string   `json:"family"`
	Style      string   `json:"style"`
	Weight     string   `json:"weight"` // as @font-face has it
	Italic     bool     `json:"italic"`
	Variable   bool     `json:"variable"`
	Scripts    []string `json:"scripts"`
	Glyphs     int      `json:"glyphs"`
	Copyright  string   `json:"copyright"`
	Licence    string   `json:"licence"`
	LicenceURL string   `json:"licenceUrl"`
	Restricted bool     `json:"restricted"` // its maker forbids embedding
	Format     string   `json:"format"`
	Path       string   `json:"path"`
}

// A fontStep is the step by which a draft got a font.
type fontStep struct {
	doneView
	Font fontView `json:"font"`
}

// maxFont bounds a font that is uploaded.
const maxFont = 8 << 20

// listFonts lists the families of the machine, and of a template's draft.
func (s *Server) listFonts(w http.ResponseWriter, r *http.Request) error {
	machine, err := s.deps.Trials.Fonts(r.Context())
	view := fontsView{Families: list(machine), Scripts: writing.Names(), Complete: err == nil}
	if err != nil {
		p := problem.All(err)[0]
		view.Note = strings.TrimSuffix(p.Message+": "+p.Hint, ": ")
	}
	if name := r.URL.Query().Get("template"); name != "" {
		if !asker(r.Context()).uses(name) {
			return noTemplate(name)
		}
		d, err := s.deps.Drafts.Draft(r.Context(), name)
		if err != nil {
			return err
		}
		own, err := s.fontsOf(r, d)
		if err != nil {
			return err
		}
		view.Families = append(own, view.Families...)
	}
	return answer(w, http.StatusOK, view)
}

// fontsOf are the families among the files of a draft.
func (s *Server) fontsOf(r *http.Request, d draft.Draft) ([]FontFamily, error) {
	families := map[string]*FontFamily{}
	var names []string
	for file, digest := range d.Assets {
		if !fontPath.MatchString(file) {
			continue
		}
		data, err := s.fontBytes(r, digest)
		if err != nil {
			return nil, err
		}
		f, err := fontfile.Read(data)
		if err != nil {
			continue // it is kept as a file, and is none that can be read here
		}
		if families[f.Family] == nil {
			families[f.Family] = &FontFamily{Family: f.Family, Origin: "template", Styles: []FontStyle{}, Scripts: []string{}}
			names = append(names, f.Family)
		}
		one := families[f.Family]
		one.Styles = append(one.Styles, FontStyle{f.Style, weightOf(f), f.Italic, file})
		for _, script := range writing.Covered(f.Has) {
			if !slices.Contains(one.Scripts, script) {
				one.Scripts = append(one.Scripts, script)
			}
		}
	}
	slices.Sort(names)
	all := []FontFamily{}
	for _, name := range names {
		slices.SortFunc(families[name].Styles, func(a, b FontStyle) int { return cmp.Compare(a.File, b.File) })
		all = append(all, *families[name])
	}
	return all, nil
}

var fontPath = regexp.MustCompile(`\.(?:woff2?|ttf|otf)$`)

func (s *Server) fontBytes(r *http.Request, digest string) ([]byte, error) {
	file, err := s.openBlob(r.Context(), digest)
	if err != nil {
		return nil, fmt.Errorf("read a font: %w", err)
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxFont))
}

func weightOf(f *fontfile.Font) string {
	if f.MaxWeight > f.MinWeight {
		return strconv.Itoa(f.MinWeight) + " " + strconv.Itoa(f.MaxWeight)
	}
	return strconv.Itoa(f.Weight)
}

// addFont gives a draft a font: its file, and the rule that makes it a family. Both
// are one step. With ?dryRun the file is only looked at.
func (s *Server) addFont(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	dry := q.Get("dryRun") != "" && q.Get("dryRun") != "false" && q.Get("dryRun") != "0"
	revision := int64(0)
	if !dry {
		if revision, err = mustMatch(r, "the draft"); err != nil {
			return err
		}
	}
	author, err := authorOf(r, q.Get("author"))
	if err != nil {
		return err
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFont))
	if err != nil {
		return smallBodyError(err)
	}
	f, err := fontfile.Read(data)
	if err != nil {
		return problem.New(problem.Unsupported, "the file is not a font that can be read").WithSlug("not_a_font").
			WithHint("send a WOFF2, WOFF, TTF or OTF; of a collection (TTC) one of its fonts")
	}
	view := viewOfFont(f, q.Get("name"))
	if p := draft.CheckFilePath(view.Path); p != nil {
		return p.At("name")
	}
	if dry {
		return answer(w, http.StatusOK, map[string]any{"font": view})
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	rule, err := faceRule(string(d.Source), view)
	if err != nil {
		return err
	}
	digest, err := s.deps.Assets.Put(r.Context(), data, r.Header.Get("Content-Type"))
	if err != nil {
		return asUpload(view.Path, err)
	}
	done, err := s.deps.Desk.Edit(r.Context(), draft.Edit{
		Name: name, Revision: revision, Ops: []json.RawMessage{draft.PutFile(view.Path, digest), rule}, Author: author,
	})
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etagOf(done.Draft.Revision))
	return answer(w, http.StatusOK, fontStep{viewOfDone(done), view})
}

// fileWord is what the name of a font's file is made of.
var fileWord = regexp.MustCompile(`[^a-z0-9]+`)

func viewOfFont(f *fontfile.Font, name string) fontView {
	v := fontView{
		Family: f.Family, Style: f.Style, Weight: weightOf(f), Italic: f.Italic, Variable: f.Variable, Scripts: writing.Covered(f.Has), Glyphs: f.Glyphs,
		Copyright: f.Copyright, Licence: f.Licence, LicenceURL: f.LicenceURL, Restricted: f.Restricted, Format: f.Format,
	}
	if name == "" {
		name = strings.Trim(fileWord.ReplaceAllString(strings.ToLower(f.Family+" "+f.Style), "-"), "-")
		name = cmp.Or(name, "font")
	}
	v.Path = path.Join("assets/fonts", strings.TrimSuffix(name, path.Ext(name))+"."+f.Format)
	return v
}

const fontStyles = `<style id="p-fonts">`

// formats are the words of CSS for files of fonts.
var formats = map[string]string{fontfile.TTF: "truetype", fontfile.OTF: "opentype", fontfile.WOFF: "woff", fontfile.WOFF2: "woff2"}

// faceRule is the operation that writes the rule of a font into a document: into the
// style sheet of fonts, or a new one.
func faceRule(source string, f fontView) (json.RawMessage, error) {
	style := "normal"
	if f.Italic {
		style = "italic"
	}
	rule := fmt.Sprintf("@font-face { font-family: %s; src: url(\"%s\") format(\"%s\"); font-weight: %s; font-style: %s; font-display: block; }",
		cssText(f.Family), f.Path, formats[f.Format], f.Weight, style)
	for _, place := range []struct{ old, put string }{
		{fontStyles, fontStyles + "\n" + rule},
		{`<style id="p-tokens">`, fontStyles + "\n" + rule + "\n</style>\n" + `<style id="p-tokens">`},
		{"</head>", fontStyles + "\n" + rule + "\n</style>\n</head>"},
	} {
		if strings.Count(source, place.old) == 1 {
			return json.Marshal(map[string]string{"op": "patch_source", "old": place.old, "new": place.put})
		}
	}
	return nil, problem.New(problem.Invalid, "the document has no <head> that a font's rule could stand in").WithSlug("no_head").
		WithHint("write <head></head> in the source, then add the font again")
}

// cssText is a text in quotes, in which nothing ends it: neither the text, nor the
// style sheet, nor an expression begins.
func cssText(text string) string {
	kept := strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"\\<>{}&;\n\r\f", r) || r < ' ' {
			return -1
		}
		return r
	}, text)
	return `"` + kept + `"`
}
