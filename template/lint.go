package template

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// The slugs of what lint finds beside what Parse refuses.
const (
	LintLoopPlace    = "loop_outside_stack"   // copies of a placed layer cover each other
	LintDuplicateID  = "duplicate_id"         // a size, an operation or a row would hit the wrong element
	LintComputedSize = "computed_font_size"   // guessed from lengths instead of fitted
	LintFixedSize    = "important_font_size"  // !important keeps a fitted text from being fitted
	LintFitBox       = "fit_without_box"      // nothing says what the text has to fit
	LintFontDisplay  = "font_display"         // the first picture may lack the font
	LintTextFit      = "text_fit"             // a property of one browser, along the line only
	LintBareAddress  = "bare_address"         // an address in a style needs url()
	LintWhiteSpace   = "visible_indent"       // line breaks of the file show in the picture
	LintCopiedLayer  = "copied_layer"         // one text stands twice, for different sizes
	LintSizeProperty = "size_property"        // a size changes more than places and type sizes
	LintBareSize     = "size_without_block"   // only width and height differ
	LintRemoteFile   = "remote_file"          // a file of the template's own is fetched from the network
	LintUnused       = "unused_variable"      // rows must give what nobody shows
	LintUnclosed     = "unclosed_element"     // what follows stands inside it
	LintOffPage      = "off_page"             // the picture cuts a layer off
	LintNoID         = "layer_without_id"     // no tool and no row can name the layer
	LintSample       = "sample_row"           // a sample row is refused
	LintExample      = "variable_unexplained" // a required variable has no example
)

// A Finding is one thing that lint has to say about a template.
type Finding struct {
	*problem.Error
	Fatal bool // Parse refuses it too, or the picture would be wrong
}

// Lint is everything that is wrong with a template or invites mistakes, in the
// order of its lines: what Parse refuses, and the traps that it lets pass. rows
// are sample rows: expressions are held against the insides of their lists and
// objects, and each row is tried.
func Lint(name string, src []byte, assets map[string]string, rows []map[string]any) []Finding {
	t := &Template{name: name, assets: assets}
	plain, err := read(name, src, t.book(), nil)
	if plain == nil {
		return findings(err, true)
	}
	l := linter{Lines: plain.Lines, reader: plain}
	typed, typedErr := plain, err
	if plain.manifest.nests() {
		typed, typedErr = read(name, src, t.book(), sampleTypes(plain.manifest.vars, rows, t.book()))
	}
	if err == nil {
		err = typedErr // the same, and what only the samples tell
	}
	if typed != nil {
		l.reader = typed
	}
	l.found = findings(err, true)
	l.document()
	if err == nil {
		l.rows(name, src, assets, rows)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	return l.found
}

func findings(err error, fatal bool) []Finding {
	var out []Finding
	for _, p := range problem.All(err) {
		out = append(out, Finding{p, fatal})
	}
	return out
}

// A linter looks for traps in one document.
type linter struct {
	*markup.Lines
	reader *reader
	found  []Finding
	styles styleBook
}

func (l *linter) note(offset int, fatal bool, slug, hint, format string, args ...any) {
	p := problem.New(problem.Invalid, format, args...).WithSlug(slug).WithHint("%s", hint).In(l.At(offset))
	l.found = append(l.found, Finding{p, fatal})
}

func (l *linter) warn(offset int, slug, hint, format string, args ...any) {
	l.note(offset, false, slug, hint, format, args...)
}

func (l *linter) document() {
	l.styles = readStyles(l.reader.doc)
	l.sheets()
	l.sizes()
	ids := map[string]bool{}
	l.reader.doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element {
			l.element(n, ids)
		}
		return true
	})
	l.copies()
	l.variables()
}

// rows tries each sample row.
func (l *linter) rows(name string, src []byte, assets map[string]string, rows []map[string]any) {
	if len(rows) == 0 {
		return
	}
	t, err := Parse(name, src, assets)
	if err != nil {
		return // said already
	}
	for i, row := range rows {
		_, err := t.ResolveIn(row, lintEnv)
		for _, p := range problem.All(err) {
			found := *p
			found.Message = fmt.Sprintf("sample row %d: %s", i, p.Message)
			found.Slug = LintSample
			l.found = append(l.found, Finding{&found, true})
		}
	}
}

// variables looks at what rows are asked for.
func (l *linter) variables() {
	used := map[string]bool{}
	for _, s := range l.reader.slots {
		for _, name := range s.vars {
			used[name] = true
		}
	}
	if !l.reader.manifest.declared || Fatal(l.found) { // what could not be read may use them
		return
	}
	for _, v := range l.reader.manifest.vars {
		switch {
		case !used[v.Name]:
			l.warn(l.key(v.Name), LintUnused, "take it out of the manifest, or show it", "nothing shows the variable %s", v.Name)
		case v.Required && v.Example == nil:
			l.warn(l.key(v.Name), LintExample, "editors and previews show the template with it", "the required variable %s has no example", v.Name)
		}
	}
}

// Fatal reports whether any of the findings keeps the template from being used.
func Fatal(all []Finding) bool {
	return slices.ContainsFunc(all, func(f Finding) bool { return f.Fatal })
}

// ErrFindings is for callers that want an error: those that are fatal.
func ErrFindings(all []Finding) error {
	var list problem.List
	for _, f := range all {
		if f.Fatal {
			list = append(list, f.Error)
		}
	}
	return errors.Join(list.Err())
}
