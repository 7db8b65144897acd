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
		if got := out.Boxes[i]; got != box {
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
