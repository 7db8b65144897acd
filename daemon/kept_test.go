package daemon

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/render"
)

// A painter draws cards of one colour: red ones where the price stands behind
// "now", white ones otherwise. Each page it compresses in another way, so that
// the same pixels have other bytes.
type painter struct {
	mu    sync.Mutex
	pages []string
}

func (*painter) Slots() int { return 2 }

func (p *painter) Render(_ context.Context, r render.Request) (render.Output, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	level := slices.Index(p.pages, r.Page)
	if level < 0 {
		level = len(p.pages)
		p.pages = append(p.pages, r.Page)
	}
	c := color.Gray{255}
	if strings.Contains(r.HTML, "now ") {
		c = color.Gray{80}
	}
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: []png.CompressionLevel{png.DefaultCompression, png.NoCompression, png.BestSpeed}[level]}).Encode(&b, plainPicture(64, 32, c))
	return render.Output{Bytes: b.Bytes(), Width: 64, Height: 32}, err
}

func (p *painter) knows() (pages int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pages)
}

func plainPicture(w, h int, c color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.Set(i%w, i/w, c)
	}
	return m
}

func TestVersionThatLooksTheSameKeepsAddressesAndTellsNobody(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(3, "one"))
	brush := &painter{}
	url, d := s.run(Options{Renderer: brush})
	p := &process{tb: t, url: url}
	told := func() int { return len(s.receiver.all("render.completed")) }
	eventually(t, "three webhooks", func() bool { return told() == 3 })
	tags := func() (all []string) {
		for _, key := range []string{"SKU-000", "SKU-001", "SKU-002"} {
			all = append(all, etag(t, url+"/b/cards/"+key+".png"))
		}
		return all
	}
	before := tags()

	p.put(strings.Replace(cardTemplate, "background: #fff", "background: rgb(255 255 255)", 1))
	eventually(t, "the rows are drawn again", func() bool { return brush.knows() == 2 && p.ready("cards") == 3 })
	eventually(t, "nothing is left to do", func() bool { idle, err := d.idle(t.Context()); return idle && err == nil })
	if after := tags(); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("the pictures are %q, they were %q", after, before)
	}
	if told() != 3 {
		t.Errorf("%d webhooks, want none for pictures that look as before", told())
	}
	if v := p.binding("cards"); v.Failed != 0 {
		t.Errorf("the binding is %+v", v)
	}

	p.put(strings.Replace(cardTemplate, ">{{ price", ">now {{ price", 1))
	eventually(t, "three more webhooks", func() bool { return told() == 6 })
	for i, tag := range tags() {
		if tag == before[i] || tag == "" {
			t.Errorf("picture %d is %q, it was %q", i, tag, before[i])
		}
	}
}

func TestPicturesAreTheSameByTheirPixels(t *testing.T) {
	white, grey := plainPicture(40, 30, color.Gray{255}), plainPicture(40, 30, color.Gray{254})
	asPNG := func(m image.Image, level png.CompressionLevel) []byte {
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: level}).Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	asJPEG := func(m image.Image, quality int) []byte {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	webp, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	large := plainPicture(2100, 2000, color.Gray{255})
	for name, c := range map[string]struct {
		a, b []byte
		want bool
	}{
		"two compressions":         {asPNG(white, png.BestSpeed), asPNG(white, png.NoCompression), true},
		"one step in a pixel":      {asPNG(white, png.BestSpeed), asPNG(grey, png.BestSpeed), false},
		"another size":             {asPNG(white, png.BestSpeed), asPNG(plainPicture(30, 40, color.Gray{255}), png.BestSpeed), false},
		"two qualities, no matter": {asJPEG(white, 90), asJPEG(white, 100), true},
		"JPEGs that differ":        {asJPEG(white, 90), asJPEG(plainPicture(40, 30, color.Gray{9}), 90), false},
		"another format":           {asPNG(white, png.BestSpeed), asJPEG(white, 100), false},
		"WebP with a tail":         {webp, append(bytes.Clone(webp), 0), true},
		"a file that is cut off":   {asPNG(white, png.BestSpeed), asPNG(white, png.NoCompression)[:80], false},
		"no picture":               {asPNG(white, png.BestSpeed), []byte("%PDF-1.7"), false},
		"too large to be compared": {asPNG(large, png.BestSpeed), asPNG(large, png.BestCompression), false},
	} {
		if got := samePicture(c.a, c.b); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestNewDesignIsSoonNoLongerCompared(t *testing.T) {
	var k keeper
	for i := range keptMisses {
		if !k.worth("p") {
			t.Fatalf("after %d pictures that differ", i)
		}
		k.learn("p", false)
	}
	if k.worth("p") || !k.worth("q") {
		t.Errorf("after %d pictures that differ p is worth it: %t, and q: %t", keptMisses, k.worth("p"), k.worth("q"))
	}
	k.learn("p", true)
	if !k.worth("p") {
		t.Error("a picture that did not change does not count")
	}
}
