package chrome

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A chunk is one of a PNG, with its length and sum.
func chunk(kind string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// zeros is n zero bytes, compressed.
func zeros(tb testing.TB, n int64) []byte {
	tb.Helper()
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.CopyN(z, zeroReader{}, n); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// hugePNG is a black picture of one bit a pixel, with more chunks before it.
func hugePNG(tb testing.TB, width, height uint32, more ...[]byte) []byte {
	tb.Helper()
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, 1, 0, 0, 0, 0))...)
	out = append(out, bytes.Join(more, nil)...)
	out = append(out, chunk("IDAT", zeros(tb, int64(height)*(1+(int64(width)+7)/8)))...)
	return append(out, chunk("IEND", nil)...)
}

// endlessGIF is one that never stops.
func endlessGIF(tb testing.TB) []byte {
	tb.Helper()
	g := &gif.GIF{LoopCount: 0}
	for i := range 3 {
		frame := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, color.White})
		frame.SetColorIndex(i, i, 1)
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 1)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// hugeGIF claims the largest canvas that there is, with many small frames on it.
func hugeGIF() []byte {
	out := []byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff")
	for range 5000 {
		out = append(out, "\x21\xf9\x04\x00\x01\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"...)
	}
	return append(out, ';')
}

func gzipped(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// hangingFiles is a library in which one file never comes.
type hangingFiles struct{ rendertest.Files }

func (f hangingFiles) Open(ctx context.Context, digest string) (io.ReadCloser, string, error) {
	if digest != "hangs" {
		return f.Files.Open(ctx, digest)
	}
	<-ctx.Done()
	return nil, "", ctx.Err()
}

// A monster is a row that takes more than its share.
type monster struct {
	html  string
	asset string // the digest of the file that its page names, at /assets/x
	drawn bool   // it must come out as a picture, not as an error
}

func monsters() map[string]monster {
	return map[string]monster{
		"100,000 nodes":            {html: strings.Repeat("<b>x</b>", 100_000)},
		"100,000 nested nodes":     {html: strings.Repeat("<div>", 100_000)},
		"a million nodes":          {html: strings.Repeat("<p>", 1_000_000)},
		"a fork of frames":         {html: strings.Repeat(`<iframe srcdoc="<iframe srcdoc='<p>x'></iframe>"></iframe>`, 5000)},
		"a canvas of 65535":        {html: `<img src="/assets/x">`, asset: "65535x65535.gif"},
		"100,000 table cells":      {html: "<table>" + strings.Repeat("<tr>"+strings.Repeat("<td>x", 100), 1000) + "</table>"},
		"30,000 pixels square":     {html: `<img src="/assets/x" width="30" height="30">`, asset: "30000x30000"},
		"30,000 pixels wide":       {html: `<img src="/assets/x" width="30">`, asset: "30000x1", drawn: true},
		"a bomb of 50,000 pixels":  {html: `<img src="/assets/x">`, asset: "50000x50000"},
		"a bomb as a background":   {html: `<p style="background:url(/assets/x);height:50px">x`, asset: "50000x50000"},
		"a bomb beside the pixels": {html: `<img src="/assets/x">`, asset: "bomb in chunks"},
		"a packed SVG":             {html: `<img src="/assets/x">`, asset: "svgz"},
		"an SVG of 10^9 shapes":    {html: billionLaughs()},
		"an endless animation": {html: `<style>@keyframes k { to { transform: rotate(1turn) } } p { animation: k 10ms infinite }</style><p>x</p><marquee>x</marquee>
			<svg><rect width="9" height="9"><animate attributeName="x" to="99" dur="10ms" repeatCount="indefinite"/></rect></svg><img src="/assets/x">`, asset: "endless", drawn: true},
		"a font that hangs":    {html: `<style>@font-face { font-family: F; src: url(/assets/x) } p { font-family: F }</style><p>text`, asset: "hangs"},
		"a picture that hangs": {html: `<img src="/assets/x">`, asset: "hangs"},
		"a filter of all":      {html: `<div style="filter:blur(900px);width:16000px;height:16000px;background:red">` + strings.Repeat(`<div style="filter:blur(900px)">`, 50)},
		"a shadow of all":      {html: strings.Repeat(`<p style="box-shadow:0 0 9999px 9999px red;text-shadow:0 0 9999px red">x`, 500)},
	}
}

func TestMonsterFailsAloneAndSaysWhy(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("takes a minute: runs in the pass without -short")
	}
	bomb := chunk("iCCP", append([]byte("x\x00\x00"), zeros(t, 1<<29)...))
	text := chunk("zTXt", append([]byte("x\x00\x00"), zeros(t, 1<<29)...))
	files := hangingFiles{rendertest.Files{
		"30000x30000":     {ContentType: "image/png", Bytes: hugePNG(t, 30_000, 30_000)},
		"30000x1":         {ContentType: "image/png", Bytes: hugePNG(t, 30_000, 1)},
		"50000x50000":     {ContentType: "image/png", Bytes: hugePNG(t, 50_000, 50_000)},
		"bomb in chunks":  {ContentType: "image/png", Bytes: hugePNG(t, 8, 8, bomb, text)},
		"svgz":            {ContentType: "image/svg+xml", Bytes: gzipped(t, `<svg xmlns="http://www.w3.org/2000/svg">`+strings.Repeat("<g/>", 1_000_000)+"</svg>")},
		"65535x65535.gif": {ContentType: "image/gif", Bytes: hugeGIF()},
		"endless":         {ContentType: "image/gif", Bytes: endlessGIF(t)},
	}}
	p := newPool(t, files, withDeadline(3*time.Second), quietly)
	for name, m := range monsters() {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			r := card(m.html)
			r.Page = name
			if m.asset != "" {
				r.Assets = []render.Asset{{Path: "/assets/x", Digest: m.asset}}
			}
			wait := background(t, p, r)
			over := make(chan struct{})
			var out render.Output
			var err error
			go func() {
				defer close(over)
				out, err = wait()
			}()
			neighbours := 0
			for done := false; !done; neighbours++ {
				if _, err := p.Render(t.Context(), card("<p>a neighbour")); err != nil {
					t.Errorf("a neighbour: %v", err)
				}
				select {
				case <-over:
					done = true
				default:
				}
			}
			var fault *problem.Error
			switch {
			case err == nil && len(out.Bytes) > 0:
			case m.drawn || !retry.IsPermanent(err) || !errors.As(err, &fault) || fault.Slug == "":
				t.Errorf("the error is %v", err)
			}
			t.Logf("%v, with %d neighbours: %v", time.Since(began).Round(time.Millisecond), neighbours, err)
		})
	}
	if _, err := p.Render(t.Context(), card("<p>after all")); err != nil {
		t.Error(err)
	}
	eventually(t, "the pool is at rest", func() bool { s := p.Status()[0]; return s.State == "ready" || s.State == "stopped" })
}
