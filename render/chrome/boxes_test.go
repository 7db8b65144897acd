package chrome

import (
	"testing"

	"github.com/pictifyd/pictifyd/render"
)

func TestBoxesAreWhereElementsAreShown(t *testing.T) {
	p := newPool(t, nil)
	r := fitted(h(`p-fit="shrink"`, long) + `<svg id="s" style="position:absolute;left:10px;top:300px" width="20" height="10"><rect width="5" height="5"/></svg>` +
		`<p hidden id="no">nothing</p><form id="f" style="position:absolute;left:30px;top:200px;width:90px;height:40px;transform:rotate(90deg)"><input id="attributes" name="id"></form>`)
	r.Boxes = true
	out := mustRender(t, p, r)
	if len(out.Bytes) == 0 {
		t.Error("there is no picture beside the boxes")
	}
	want := []render.Box{
		{ID: "t", Tag: "div", X: 20, Y: 20, Width: 400, Height: 120},
		{ID: "s", Tag: "svg", X: 10, Y: 300, Width: 20, Height: 10},
		{Tag: "rect", X: 10, Y: 300, Width: 5, Height: 5},
		{ID: "no", Tag: "p"},
		{ID: "f", Tag: "form", X: 55, Y: 175, Width: 40, Height: 90}, // turned about its middle
	}
	if len(out.Boxes) != 6 {
		t.Fatalf("there are %d boxes, want 6: %+v", len(out.Boxes), out.Boxes)
	}
	for i, box := range want {
		got := out.Boxes[i]
		got.Text = nil
		if got != box {
			t.Errorf("box %d is %+v, want %+v", i, got, box)
		}
	}
	if l := layer(t, out, "t"); !l.Changed {
		t.Errorf("the text is not fitted before it is measured: %+v", l)
	}
}

func TestDryRowsAreLaidOutAndNotDrawn(t *testing.T) {
	p := newPool(t, nil)
	r := fitted(h(`p-fit="none"`, long+long+long+long))
	drawn := mustRender(t, p, r)
	r.Dry = true
	out := mustRender(t, p, r)
	if len(out.Bytes) != 0 || len(out.Boxes) != 0 {
		t.Errorf("a dry row has %d bytes and %d boxes", len(out.Bytes), len(out.Boxes))
	}
	if got, want := layer(t, out, "t"), layer(t, drawn, "t"); got != want || !got.Clipped {
		t.Errorf("a dry row is laid out as %+v, a drawn one as %+v", got, want)
	}
}

func TestBoxesTellHowTextsAreShown(t *testing.T) {
	p := newPool(t, nil)
	r := fitted(`<style>#clip{position:absolute;left:0;top:150px;width:100px;height:30px;overflow:hidden;opacity:0.5}#in{font:20px/30px "DejaVu Sans";white-space:nowrap;transform:scale(2);transform-origin:0 0}
		#spill{position:absolute;left:10px;top:200px;width:50px;height:24px;font:bold 20px/24px "DejaVu Sans";white-space:nowrap}</style>` +
		h(`p-fit="shrink" p-lines="1"`, long) + `<div id="clip"><div id="in">Hamburgefonts</div></div>` +
		`<p id="spill">Hamburge<i id="gone" style="display:none">x</i><b>fonts</b></p><p id="sign" style="position:absolute;top:300px">“</p>` +
		`<svg id="s" style="position:absolute;left:300px;top:300px" viewBox="0 0 100 50" width="200" height="100"><text id="svg" y="20" font-size="10">Ab</text><title>no</title></svg>` +
		`<form id="f" style="position:absolute;top:350px"><input name="children"><input name="parentElement">Form</form><div id="empty"> </div><style>no</style>`)
	r.Boxes = true
	texts := map[string]render.TextMeasure{}
	for _, box := range mustRender(t, p, r).Boxes {
		if box.Text != nil {
			texts[box.Text.Layer] = *box.Text
		}
	}
	if len(texts) != 7 {
		t.Errorf("there are %d texts: %+v", len(texts), texts)
	}
	if m := texts["t"]; m.FontPx >= 40 || m.FontPx < 6 || m.Weight != 400 || m.Opacity != 1 || m.Over > 1 || m.Cut > 0 || len(m.Lines) != 3 || m.Decorative {
		t.Errorf("the fitted text is %+v", m)
	}
	if m := texts["in"]; m.FontPx != 40 || m.Opacity != 0.5 || m.Cut < 150 || m.Over < 50 || m.Path == "" || m.Lines[0].Width < 200 {
		t.Errorf("what is cut is %+v", m)
	}
	if m := texts["spill"]; m.Over < 50 || m.Cut != 0 || m.Weight != 700 {
		t.Errorf("what spills is %+v", m)
	}
	if m := texts["spill > b"]; m.Over != 0 || m.Lines[0].X < 100 {
		t.Errorf("what is inline is %+v", m)
	}
	if m := texts["sign"]; !m.Decorative {
		t.Errorf("a sign is %+v", m)
	}
	if m := texts["svg"]; m.FontPx != 20 || m.Over != 0 || m.Lines[0].X != 300 {
		t.Errorf("text in SVG is %+v", m)
	}
	if m := texts["f"]; m.FontPx == 0 || len(m.Lines) != 1 {
		t.Errorf("a form that shadows its properties is %+v", m)
	}
}
