package chrome

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

func TestElementsAndFramesAreCounted(t *testing.T) {
	for html, want := range map[string][2]int{
		"": {}, "text": {}, "<": {}, "a < b": {}, "&lt;p&gt;": {}, "<p>": {1, 0}, "<P><b>x</b></P>": {2, 0}, "<!doctype html><html><!-- x --></html>": {1, 0},
		"<br/><br/><": {2, 0}, "<1><_><é>": {}, "<svg><path d=''/></svg>": {2, 0}, "<i><img><figure><form><ol><em>": {6, 0},
		"<iframe><IFRAME srcdoc><frame><object/><embed": {5, 5}, "</iframe><ifram": {1, 0},
	} {
		if elements, frames := count(html); elements != want[0] || frames != want[1] {
			t.Errorf("%q has %d elements and %d frames, want %v", html, elements, frames, want)
		}
	}
}

func TestPageOfTooManyPartsIsRefused(t *testing.T) {
	files := func(n int) (all []render.Asset) {
		for i := range n {
			all = append(all, render.Asset{Path: fmt.Sprintf("/assets/%d.png", i), Digest: "d"})
		}
		return all
	}
	for name, c := range map[string]struct {
		request render.Request
		refused bool
	}{
		"as many elements as may be": {render.Request{HTML: strings.Repeat("<p>x</p>", maxElements)}, false},
		"one more":                   {render.Request{HTML: strings.Repeat("<p>x</p>", maxElements+1)}, true},
		"as many frames as may be":   {render.Request{HTML: strings.Repeat("<iframe></iframe>", maxFrames)}, false},
		"one frame more":             {render.Request{HTML: strings.Repeat("<iframe></iframe>", maxFrames+1)}, true},
		"much text":                  {render.Request{HTML: "<p>" + strings.Repeat("&lt;p&gt; < ", maxElements)}, false},
		"a later sheet":              {render.Request{Sheets: []render.Sheet{{HTML: "<p>"}, {HTML: strings.Repeat("<p>x</p>", maxElements+1)}}}, true},
		"sheets that are full":       {render.Request{Sheets: []render.Sheet{{HTML: strings.Repeat("<p>", maxElements)}, {HTML: strings.Repeat("<p>", maxElements)}}}, false},
		"as many files as may be":    {render.Request{Assets: files(maxAssets)}, false},
		"one file more":              {render.Request{Assets: files(maxAssets + 1)}, true},
	} {
		err := checkParts(c.request)
		var p *problem.Error
		if (err != nil) != c.refused || c.refused && (!retry.IsPermanent(err) || !errors.As(err, &p) || p.Slug != SlugRenderComplex || p.Hint == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkCount(b *testing.B) {
	html := strings.Repeat(`<tr><td class="x">some text of a cell</td></tr>`, 1000)
	b.SetBytes(int64(len(html)))
	for b.Loop() {
		count(html)
	}
}
