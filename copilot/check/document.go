package check

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template"
)

// What findings are about.
const (
	CodeContrast     = "contrast"      // text does not stand out from what is behind it
	CodeOverflow     = "overflow"      // text does not fit its box
	CodeOffPage      = "off_page"      // a text or an image leaves the page
	CodeOverlap      = "overlap"       // text lies on text, or is covered
	CodeMissingImage = "missing_image" // an image does not show what the row names
	CodeTooSmall     = "too_small"     // text that nobody can read at the size that people see
)

// How grave a finding is.
const (
	Error   = "error"
	Warning = "warning"
)

// A Finding is something that is wrong with a document, or that a change may not do.
type Finding struct {
	Code    string  `json:"code"`
	Level   string  `json:"level"` // error or warning
	Layer   string  `json:"layer,omitempty"`
	Size    string  `json:"size,omitempty"`
	Theme   string  `json:"theme,omitempty"`
	Row     string  `json:"row,omitempty"` // the name of the row
	Ratio   float64 `json:"ratio,omitempty"`
	Need    float64 `json:"need,omitempty"`
	Message string  `json:"message"`
}

// Options say what of a document is looked at.
type Options struct {
	Sizes  []string // empty: all
	Themes []string // empty: all; "" is the plain one
	Rows   []Row    // empty: the examples
}

// Document is what is wrong with a document as it stands, errors first, in the order
// of sizes and themes. Of what is found in several rows, the worst is told, and what
// no theme changes once a size. What is wrong with the document or a row itself, so
// that there is no picture, is an error.
func Document(ctx context.Context, cam look.Camera, d look.Doc, o Options) ([]Finding, error) {
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return nil, err
	}
	pages, err := o.pages(t)
	if err != nil {
		return nil, err
	}
	j := newJudge(newPlates(cam, d), t)
	if err := inTwos(ctx, pages, j.judge); err != nil {
		return nil, err
	}
	return j.findings(), nil
}

// A page is one size in one theme, which is drawn with all rows one after another:
// a tab of Chrome stays with its page.
type page struct {
	size, theme string
	rows        []Row
	themes      int  // of the size
	backwards   bool // so that two themes of a size share the letters that the other has found
}

func (o Options) pages(t *template.Template) ([]page, error) {
	sizes, themes, rows := o.Sizes, o.Themes, o.Rows
	if len(sizes) == 0 {
		for _, s := range t.Sizes() {
			sizes = append(sizes, s.Name)
		}
	}
	if len(themes) == 0 {
		themes = append([]string{""}, t.Themes()...)
	}
	if len(rows) == 0 {
		rows = []Row{{}}
	}
	var all []page
	for _, size := range sizes {
		for i, theme := range themes {
			if _, err := t.Page(template.View{Size: size, Theme: theme}); err != nil {
				return nil, err
			}
			all = append(all, page{size, theme, rows, len(themes), i%2 == 1})
		}
	}
	return all, nil
}

// inTwos has two of all worked on at a time: a Chrome draws while the pixels of the
// one before are looked at. The first error ends it.
func inTwos[T any](ctx context.Context, all []T, work func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for one := range queue {
				if err := work(ctx, one); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for _, one := range all {
		select {
		case queue <- one:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// A judge collects findings. Safe for use by several goroutines.
type judge struct {
	plates *plates
	form   *template.Template

	mu      sync.Mutex
	found   map[found]Finding
	letters map[string]*known
}

// found is what is told once.
type found struct{ code, layer, size, theme string }

// known is where the letters of a view are, which other themes share.
type known struct {
	once    sync.Once
	left    int // themes that have not asked for it
	letters *letters
	err     error

	laid sync.Once
	over []Finding // texts on texts
}

func newJudge(p *plates, t *template.Template) *judge {
	return &judge{plates: p, form: t, found: map[found]Finding{}, letters: map[string]*known{}}
}

func (j *judge) judge(ctx context.Context, p page) error {
	for i := range p.rows {
		if p.backwards {
			i = len(p.rows) - 1 - i
		}
		v := look.View{Size: p.size, Theme: p.theme, Row: p.rows[i].Values}
		for _, v.Page = range sheets(j.form, v) {
			all, err := j.view(ctx, v, fmt.Sprint(i, v.Page), p.themes)
			if err != nil {
				return err
			}
			for _, f := range all {
				f.Size, f.Theme, f.Row = p.size, p.theme, p.rows[i].Name
				if v.Page > 1 {
					f.Message = fmt.Sprintf("on page %d %s", v.Page, f.Message)
				}
				j.note(f)
			}
		}
	}
	return nil
}

// mostSheets is how many pages of a document are looked at with a row.
const mostSheets = 4

// sheets are the pages that a document has with a row, 0 where it is not made of
// pages, or nobody can tell because the row is refused.
func sheets(t *template.Template, v look.View) []int {
	row := v.Row
	if row == nil {
		row = t.Examples()
	}
	page, err := t.Page(template.View{Size: v.Size, Theme: v.Theme})
	if err != nil {
		return []int{0}
	}
	values, err := t.Resolve(row, time.Now())
	if err != nil {
		return []int{0}
	}
	all := []int{0}
	for n := 2; n <= min(page.Pages(values), mostSheets); n++ {
		all = append(all, n)
	}
	return all
}

// view is what is wrong with one view.
func (j *judge) view(ctx context.Context, v look.View, row string, themes int) ([]Finding, error) {
	shot, err := j.plates.shoot(ctx, v)
	if f, is := lacking(err); is {
		return []Finding{f}, nil
	}
	if err != nil {
		return nil, err
	}
	all := slices.Concat(missing(shot), overflow(shot), offPage(shot, j.plates.names), tooSmall(shot))
	k := j.known(v.Size+"\n"+row+"\n"+lie(shot), themes)
	k.once.Do(func() { k.letters, k.err = lettersOf(ctx, j.plates, v, shot) })
	if k.err != nil {
		return nil, k.err
	}
	m, err := measure(ctx, j.plates, v, shot, k.letters)
	if err != nil {
		return nil, err
	}
	k.laid.Do(func() { k.over, err = overlap(ctx, j.plates, v, shot, m) })
	return slices.Concat(all, contrast(m.spans()), k.over), err
}

// known is kept until so many themes have asked for it.
func (j *judge) known(key string, themes int) *known {
	j.mu.Lock()
	defer j.mu.Unlock()
	k := j.letters[key]
	if k == nil {
		k = &known{left: themes}
		j.letters[key] = k
	}
	if k.left--; k.left <= 0 {
		delete(j.letters, key)
	}
	return k
}

// note keeps a finding, or the worse one of two that are the same but for the row.
func (j *judge) note(f Finding) {
	key := found{f.Code, f.Layer, f.Size, f.Theme}
	if f.Code != CodeContrast {
		key.theme = ""
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if old, has := j.found[key]; !has || worse(f, old) {
		j.found[key] = f
	}
}

// worse reports whether a is to be told rather than b; it is an order, whichever
// came first.
func worse(a, b Finding) bool {
	if a.Level != b.Level {
		return a.Level == Error
	}
	if a.Ratio != b.Ratio {
		return a.Ratio < b.Ratio
	}
	if a.Theme != b.Theme {
		return a.Theme < b.Theme
	}
	if a.Row != b.Row {
		return a.Row < b.Row
	}
	return a.Message < b.Message
}

func (j *judge) findings() []Finding {
	sizes, themes := placesOf(j.form.Sizes()), themePlaces(j.form.Themes())
	all := make([]Finding, 0, len(j.found))
	for _, f := range j.found {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Finding) int { return order(a, b, sizes, themes) })
	return all
}
