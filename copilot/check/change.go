package check

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/pixels"
	"github.com/pictifyd/pictifyd/template"
)

// What findings about changes are about.
const (
	CodeLostVariable = "lost_variable"       // a value that rows have is shown no more
	CodeLocked       = "locked_changed"      // a locked layer is not as it was, to the byte
	CodeLogoSource   = "logo_source"         // a logo shows another file
	CodeOtherSize    = "other_size_changed"  // a size that was not to change looks another way
	CodeOtherTheme   = "other_theme_changed" // a theme that was not to change looks another way
	CodePicture      = "picture_changed"     // a photograph or a logo looks another way in a theme than in the plain one
)

// Everything stands in a list of Allowed for all that there is.
const Everything = "*"

// Allowed is what a change may touch. A view may look another way if both its size
// and its theme are allowed; sizes and themes that are new always may. Locked layers
// and the files of logos may never be changed.
type Allowed struct {
	Sizes     []string
	Themes    []string // "" is the plain one
	Variables []string // that may be shown no more
	Pictures  bool     // photographs and logos may look another way in a theme than in the plain one
}

func allows(list []string, name string) bool {
	return slices.Contains(list, Everything) || slices.Contains(list, name)
}

func (a Allowed) view(size, theme string) bool {
	return allows(a.Sizes, size) && allows(a.Themes, theme)
}

// Change is what a change did that it was not allowed to do: all errors. Pictures
// are held against each other to the last step of a pixel, with each of the rows, or
// the examples where there are none; a view whose page and values are the same
// bytes is not drawn. A document that does not compile is an error.
func Change(ctx context.Context, cam look.Camera, before, after look.Doc, rows []Row, a Allowed) ([]Finding, error) {
	c := comparison{allowed: a, now: time.Now(), before: newPlates(cam, before), after: newPlates(cam, after), told: map[found]bool{}}
	var err error
	if c.old, err = template.Parse(before.Name, before.Source, before.Assets); err != nil {
		return nil, fmt.Errorf("before the change: %w", err)
	}
	if c.new, err = template.Parse(after.Name, after.Source, after.Assets); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		rows = []Row{{}}
	}
	all := slices.Concat(c.lostVariables(), lockedChanged(before.Source, after.Source), logosChanged(before.Source, after.Source))
	all = append(all, c.gone()...)
	if err := inTwos(ctx, c.views(rows), c.look); err != nil {
		return nil, err
	}
	slices.SortFunc(c.seen, func(x, y Finding) int {
		return order(x, y, placesOf(c.old.Sizes()), themePlaces(c.old.Themes(), c.new.Themes()))
	})
	return append(all, c.seen...), nil
}

// A comparison is of two documents.
type comparison struct {
	allowed       Allowed
	now           time.Time
	old, new      *template.Template
	before, after *plates

	mu   sync.Mutex
	told map[found]bool
	seen []Finding
}

func (c *comparison) note(f Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := found{f.Code, f.Layer, f.Size, f.Theme}
	if !c.told[key] {
		c.told[key] = true
		c.seen = append(c.seen, f)
	}
}

func (c *comparison) lostVariables() []Finding {
	var all []Finding
	now := c.new.Uses()
	for _, name := range c.old.Uses() {
		if slices.Contains(now, name) || allows(c.allowed.Variables, name) {
			continue
		}
		all = append(all, Finding{Code: CodeLostVariable, Level: Error, Message: fmt.Sprintf("the variable %s is shown no more: bind a layer to it again", name)})
	}
	return all
}

// gone is the sizes and themes that there are no more, of which something was not
// allowed to change.
func (c *comparison) gone() []Finding {
	var all []Finding
	sizes, old := placesOf(c.new.Sizes()), append([]string{""}, c.old.Themes()...)
	for _, s := range c.old.Sizes() {
		fixed := slices.ContainsFunc(old, func(theme string) bool { return !c.allowed.view(s.Name, theme) })
		if _, is := sizes[s.Name]; !is && fixed {
			all = append(all, Finding{Code: CodeOtherSize, Level: Error, Size: s.Name, Message: fmt.Sprintf("the size %s is gone", s.Name)})
		}
	}
	for _, theme := range c.old.Themes() {
		fixed := slices.ContainsFunc(c.old.Sizes(), func(s template.Size) bool { return !c.allowed.view(s.Name, theme) })
		if !slices.Contains(c.new.Themes(), theme) && fixed {
			all = append(all, Finding{Code: CodeOtherTheme, Level: Error, Theme: theme, Message: fmt.Sprintf("the theme %s is gone", theme)})
		}
	}
	return all
}

// A pair is a view of both documents, to be drawn with rows.
type pair struct {
	size, theme string
	rows        []Row
	pictures    bool // the view after is held against the plain one before, in photographs and logos
}

// views are those that are to be compared. The pages of both documents follow each
// other in it, for a tab of Chrome stays with its page.
func (c *comparison) views(rows []Row) []pair {
	var all []pair
	sizes, photos := placesOf(c.new.Sizes()), c.distinct(rows)
	for _, s := range c.old.Sizes() {
		if _, is := sizes[s.Name]; !is {
			continue
		}
		for _, theme := range append([]string{""}, c.new.Themes()...) {
			had := theme == "" || slices.Contains(c.old.Themes(), theme)
			switch {
			case had && !c.allowed.view(s.Name, theme):
				all = append(all, pair{s.Name, theme, rows, false})
			case theme != "" && !c.allowed.Pictures && !c.allowed.view(s.Name, ""): // with a plain one that may change, layers may lie elsewhere
				all = append(all, pair{s.Name, theme, photos, true})
			}
		}
	}
	return all
}

// distinct are the rows with other pictures than those before them.
func (c *comparison) distinct(rows []Row) []Row {
	var all []Row
	seen := map[string]bool{}
	for _, r := range rows {
		key := ""
		for _, v := range c.old.Vars() {
			if v.Type == template.Image || v.Type == template.URL || v.Type == template.Any || v.Type == template.Array || v.Type == template.Object {
				key += fmt.Sprintf("%q=%v\n", v.Name, r.Values[v.Name])
			}
		}
		if !seen[key] {
			seen[key], all = true, append(all, r)
		}
	}
	return all
}

func (c *comparison) look(ctx context.Context, p pair) error {
	work := c.compare
	if p.pictures {
		work = c.pictures
	}
	for _, row := range p.rows {
		v := look.View{Size: p.size, Theme: p.theme, Row: row.Values}
		for _, v.Page = range sheets(c.old, v) {
			if err := work(ctx, v, row.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare holds a view that was not to change against what it was.
func (c *comparison) compare(ctx context.Context, v look.View, row string) error {
	if c.same(v) {
		return nil
	}
	was, err := c.before.shoot(ctx, v)
	if _, lacks := lacking(err); lacks {
		return nil // there was no picture
	}
	if err != nil {
		return err
	}
	is, err := c.after.shoot(ctx, v)
	if f, lacks := lacking(err); lacks {
		f.Size, f.Theme, f.Row, f.Level = v.Size, v.Theme, row, Error
		c.note(f)
		return nil
	}
	if err != nil || pixels.Equal(was.Picture, is.Picture) {
		return err
	}
	f := Finding{Code: CodeOtherSize, Level: Error, Size: v.Size, Theme: v.Theme, Row: row}
	what := "the size " + v.Size
	if allows(c.allowed.Sizes, v.Size) {
		f.Code, what = CodeOtherTheme, "the theme "+v.Theme
		if v.Theme == "" {
			what = "the plain theme"
		}
	}
	f.Message = fmt.Sprintf("%s was not to change, and looks another way: %s", what, difference(was.Picture, is.Picture))
	c.note(f)
	return nil
}

// same reports whether a view is the same bytes in both documents.
func (c *comparison) same(v look.View) bool {
	shown := func(t *template.Template) (digest string, values template.Values, err error) {
		page, err := t.Page(template.View{Size: v.Size, Theme: v.Theme, Page: v.Page})
		if err != nil {
			return "", nil, err
		}
		row := v.Row
		if row == nil {
			row = t.Examples()
		}
		if values, err = t.Resolve(row, c.now); err != nil {
			return "", nil, err
		}
		return page.Digest, page.Shown(values), nil
	}
	was, wasValues, err := shown(c.old)
	is, isValues, err2 := shown(c.new)
	return errors.Join(err, err2) == nil && was == is && slices.Equal(wasValues, isValues)
}

// difference says where two pictures differ.
func difference(a, b *image.NRGBA) string {
	if a.Rect.Size() != b.Rect.Size() {
		return fmt.Sprintf("it is %d by %d px large, and was %d by %d", b.Rect.Dx(), b.Rect.Dy(), a.Rect.Dx(), a.Rect.Dy())
	}
	count, where := 0, image.Rectangle{}
	for i := 0; i < len(a.Pix); i += 4 {
		if [4]uint8(a.Pix[i:i+4]) != [4]uint8(b.Pix[i:i+4]) {
			x, y := i/4%a.Rect.Dx(), i/4/a.Rect.Dx()
			count, where = count+1, where.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return fmt.Sprintf("%d pixels, within %d,%d to %d,%d", count, where.Min.X, where.Min.Y, where.Max.X, where.Max.Y)
}

func placesOf(sizes []template.Size) map[string]int {
	places := map[string]int{}
	for i, s := range sizes {
		places[s.Name] = i
	}
	return places
}

func themePlaces(lists ...[]string) map[string]int {
	places := map[string]int{}
	for _, theme := range slices.Concat(lists...) {
		if _, has := places[theme]; !has {
			places[theme] = len(places) + 1
		}
	}
	return places
}
