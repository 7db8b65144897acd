package relayout_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/copilot/relayout"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

// wanted are the sizes that templates are given.
var wanted = []relayout.Options{
	{Name: "story", Label: "Story", W: 1080, H: 1920},
	{Name: "og", Label: "Link preview", W: 1200, H: 630},
	{Name: "square", Label: "Post", W: 1080, H: 1080},
}

// hard are the rows of a template that are looked at: the longest texts and the
// ones from right to left. PICTIFYD_PICTURES has all.
func hard(rows []map[string]any) []map[string]any {
	if os.Getenv("PICTIFYD_PICTURES") != "" {
		return rows[:min(5, len(rows))]
	}
	return rows[min(1, len(rows)-1):min(3, len(rows))]
}

// without is d without the size of the name, and without those of its sides.
func without(tb testing.TB, d look.Doc, o relayout.Options) look.Doc {
	tb.Helper()
	for _, s := range sizesOf(tb, d)[1:] {
		if s.Name != o.Name && (s.Width != o.W || s.Height != o.H) {
			continue
		}
		r, err := edit.Apply(d.Source, []edit.Op{{Op: "remove_size", Name: s.Name}})
		if err != nil {
			tb.Fatal(err)
		}
		d = d.With(r.Source)
	}
	return d
}

func sizesOf(tb testing.TB, d look.Doc) []template.Size { return parsed(tb, d).Sizes() }

func parsed(tb testing.TB, d look.Doc) *template.Template {
	tb.Helper()
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// keep writes a picture to the folder of PICTIFYD_PICTURES, if it is set.
func keep(tb testing.TB, name string, data []byte) {
	tb.Helper()
	folder := os.Getenv("PICTIFYD_PICTURES")
	if folder == "" {
		return
	}
	path := filepath.Join(folder, "relayout", name+".png")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestEveryTemplateTakesMoreSizes(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	all := os.Getenv("PICTIFYD_PICTURES") != ""
	for n, name := range slices.Concat(looktest.Starters(), looktest.Fixtures()) {
		if !campaign.Takes(n, 5) { // the copilot's phrases go through all of them
			continue
		}
		open := room.Starter
		if slices.Contains(looktest.Fixtures(), name) {
			open = room.Fixture
		}
		d, rows := open(t, name)
		for i, o := range wanted {
			if first := sizesOf(t, d)[0]; first.Width == o.W && first.Height == o.H {
				continue // it is that already
			}
			if !all && i != 0 && i != 1+n%2 {
				continue // each has a story, and one of the others: a picture takes its time
			}
			o.Rows = hard(rows)
			t.Run(name+"/"+o.Name, func(t *testing.T) { addSize(t, room, without(t, d, o), o) })
		}
	}
}

func addSize(t *testing.T, room *looktest.Room, d look.Doc, o relayout.Options) {
	change, err := relayout.AddSize(t.Context(), room, d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%q", change.Notes)
	if change.Notes[0] == "" || strings.Contains(strings.Join(change.Notes, " "), "does not fit") {
		t.Errorf("texts do not fit: %q", change.Notes)
	}
	r, err := edit.Apply(d.Source, change.Ops)
	if err != nil {
		t.Fatal(err)
	}
	after := d.With(r.Source)
	if back, err := edit.Apply(r.Source, r.Inverse); err != nil || !bytes.Equal(back.Source, d.Source) {
		t.Errorf("taken back, the document is another: %v", err)
	}
	sameElsewhere(t, room, d, after, o)
	for page := range pages(d) {
		for i, row := range o.Rows {
			shot, err := room.Shoot(t.Context(), after, look.View{Size: o.Name, Row: row, Page: page + 1})
			if err != nil {
				break // the row has fewer pages
			}
			keep(t, d.Name+"-"+o.Name+"-p"+strconv.Itoa(page+1)+"-"+strconv.Itoa(i), shot.PNG)
			inSight(t, d, shot, o, i)
		}
	}
}

func pages(d look.Doc) (n int) {
	markup.Parse(d.Source).All(func(m *markup.Node) bool {
		if m.Kind == markup.Element && m.Page() {
			n++
		}
		return true
	})
	return n
}

// sameElsewhere fails where any other size or theme shows anything else.
func sameElsewhere(t *testing.T, room *looktest.Room, before, after look.Doc, o relayout.Options) {
	t.Helper()
	was, is := parsed(t, before), parsed(t, after)
	for _, view := range look.Views(was, nil) {
		a, errA := was.Page(template.View{Size: view.Size, Theme: view.Theme})
		b, errB := is.Page(template.View{Size: view.Size, Theme: view.Theme})
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if a.Digest == b.Digest {
			continue // all that a picture is made of is the same
		}
		view.Row = o.Rows[0]
		x, errX := room.Shoot(t.Context(), before, view)
		y, errY := room.Shoot(t.Context(), after, view)
		if errX != nil || errY != nil || !bytes.Equal(x.Picture.Pix, y.Picture.Pix) {
			t.Errorf("the size %q, theme %q is another: %v, %v", view.Size, view.Theme, errX, errY)
		}
	}
}

// inSight fails where a text is off the page or under the controls of an app.
func inSight(t *testing.T, d look.Doc, shot look.Shot, o relayout.Options, row int) {
	t.Helper()
	safe := relayout.SafeOf(o.W, o.H)
	doc := markup.Parse(d.Source)
	for _, b := range shot.Boxes {
		id, _, _ := strings.Cut(b.ID, "--")
		n := doc.Find(id)
		if n == nil || b.Width == 0 || b.Height == 0 || len(n.Elements()) > 0 || strings.TrimSpace(n.Inner()) == "" {
			continue
		}
		if _, fitted := n.Get("p-fit"); !fitted {
			continue
		}
		if b.X < -2 || b.X+b.Width > float64(o.W)+2 || b.Y < float64(safe.Top)-2 || b.Y+b.Height > float64(o.H-safe.Bottom)+2 {
			t.Errorf("row %d: %q is out of sight: %+v", row+1, b.ID, b)
		}
	}
}

func TestRelayoutWritesOneSizeAnew(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	d, rows := room.Starter(t, "og-card")
	o := relayout.Options{Name: "square", Strategy: relayout.Scale, Rows: rows[:1]}
	change, err := relayout.Relayout(t.Context(), room, d, o)
	if err != nil {
		t.Fatal(err)
	}
	after, err := change.Apply(d)
	if err != nil {
		t.Fatal(err)
	}
	o.W, o.H = 1080, 1080
	wide, err := room.Shoot(t.Context(), d, look.View{Row: rows[0]})
	if err != nil {
		t.Fatal(err)
	}
	square, err := room.Shoot(t.Context(), after, look.View{Row: rows[0], Size: "square"})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range wide.Boxes { // all is where it was, at nine tenths
		if c := square.Boxes[i]; b.ID == "title" && (math.Abs(c.Width-b.Width*0.9) > 1 || math.Abs(c.X-b.X*0.9) > 1) {
			t.Errorf("%+v became %+v", b, c)
		}
	}
	if got, want := parsed(t, after).Sizes(), parsed(t, d).Sizes(); !slices.Equal(got, want) {
		t.Errorf("the sizes are %v, not %v", got, want)
	}
}

func TestWhatCannotBeLaidOutIsRefused(t *testing.T) {
	room := looktest.Open(t)
	d, _ := room.Starter(t, "og-card")
	add := func(o relayout.Options) error {
		_, err := relayout.AddSize(t.Context(), room, d, o)
		return err
	}
	again := func(o relayout.Options) error {
		_, err := relayout.Relayout(t.Context(), room, d, o)
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want problem.Code
	}{
		"a size that is there":     {add(relayout.Options{Name: "square", W: 900, H: 900}), problem.Conflict},
		"a size without sides":     {add(relayout.Options{Name: "none"}), problem.Invalid},
		"a size to begin with":     {add(relayout.Options{Name: "tall", W: 900, H: 1600, From: "poster"}), problem.NotFound},
		"a strategy":               {add(relayout.Options{Name: "tall", W: 900, H: 1600, Strategy: "magic"}), problem.Invalid},
		"a size that is not there": {again(relayout.Options{Name: "story"}), problem.NotFound},
		"the first size":           {again(relayout.Options{Name: "default"}), problem.Unsupported},
	} {
		if got := problem.CodeOf(c.err); got != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
}
