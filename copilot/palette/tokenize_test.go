package palette_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/copilot/palette"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
)

// change applies a change and demands that its inverses give the first bytes back,
// and that the document still compiles.
func change(t *testing.T, d look.Doc, c craft.Change) look.Doc {
	t.Helper()
	r, err := edit.Apply(d.Source, c.Ops)
	if err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	back, err := edit.Apply(r.Source, r.Inverse)
	if err != nil || !bytes.Equal(back.Source, d.Source) {
		t.Fatalf("%s: undoing does not give the first bytes back (%v)", d.Name, err)
	}
	if _, err := template.Parse(d.Name, r.Source, d.Assets); err != nil {
		t.Fatalf("%s: %v\n%s", d.Name, err, r.Source)
	}
	return d.With(r.Source)
}

// keep writes a picture to the folder that PICTIFYD_PICTURES names.
func keep(t *testing.T, name string, png []byte) {
	t.Helper()
	if folder := os.Getenv("PICTIFYD_PICTURES"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func shoot(t *testing.T, cam look.Camera, d look.Doc, v look.View) look.Shot {
	t.Helper()
	shot, err := cam.Shoot(t.Context(), d, v)
	if err != nil {
		t.Fatalf("%s, %s %s: %v", d.Name, v.Size, v.Theme, err)
	}
	return shot
}

// samePictures demands that two documents look alike to the pixel.
func samePictures(t *testing.T, cam look.Camera, a, b look.Doc, views []look.View) {
	t.Helper()
	for _, v := range views {
		if x, y := shoot(t, cam, a, v), shoot(t, cam, b, v); !bytes.Equal(x.Picture.Pix, y.Picture.Pix) {
			t.Errorf("%s, size %q, theme %q: the picture changed", a.Name, v.Size, v.Theme)
		}
	}
}

func views(t *testing.T, d look.Doc, row map[string]any) []look.View {
	t.Helper()
	tmpl, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		t.Fatal(err)
	}
	return look.Views(tmpl, row)
}

func TestLiteralColoursBecomeTokensOfTheSamePicture(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for _, name := range looktest.Fixtures() {
		d, rows := room.Fixture(t, name)
		c, err := palette.Tokenize(d)
		if err != nil {
			t.Fatal(err)
		}
		got := change(t, d, c)
		t.Logf("%s: %s", name, strings.Join(c.Notes, "; "))
		if len(c.Ops) == 0 {
			t.Errorf("%s has literal colours, and got no token", name)
		}
		samePictures(t, room, d, got, views(t, d, rows[1]))
		samePictures(t, room, d, got, views(t, d, rows[0]))
		again, err := palette.Tokenize(got)
		if err != nil || len(again.Ops) > 0 {
			t.Errorf("%s: a second run has %d operations (%v): %+v", name, len(again.Ops), err, again.Ops)
		}
	}
}

func TestTokensOfStartersStay(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for i, name := range looktest.Starters() {
		if !campaign.Takes(i, 4) {
			continue
		}
		d, rows := room.Starter(t, name)
		c, err := palette.Tokenize(d)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Ops) > 0 {
			t.Logf("%s: %s", name, fmt.Sprint(c.Notes))
			samePictures(t, room, d, change(t, d, c), views(t, d, rows[0]))
		}
	}
}
