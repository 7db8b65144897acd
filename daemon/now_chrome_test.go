package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/gif"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/pdf"
)

// A chrome of a test draws html as it was sent, and nothing of it runs.
func TestHTMLOfACallerIsDrawn(t *testing.T) {
	needChrome(t)
	url, _ := newSite(t, "").run(Options{})
	photo := photos(t)
	for name, tt := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"html":                       {`{"html":"<body style='background:#f00'><p>{{ title }}</p>","variables":{"title":"Hi"},"width":20,"height":10,"deviceScaleFactor":2}`, 200, ""},
		"a picture of elsewhere":     {`{"html":"<img src='` + photo + `/photo.png' style='width:20px;height:10px'>","width":40,"height":20}`, 200, ""},
		"a picture that is not":      {`{"html":"<img src='` + photo + `/none.png'>","width":40,"height":20}`, 422, "asset_fetch_failed"},
		"a picture that is refused":  {`{"html":"<img src='http://169.254.169.254/'>","width":40,"height":20}`, 422, "asset_fetch_failed"},
		"an image that is no base64": {`{"html":"<img src='data:image/png;base64,@@@@'>","width":40,"height":20}`, 422, ""},
	} {
		a := ask(t, "POST", url+"/image", tt.body).must(t, tt.status)
		if tt.status != 200 {
			if tt.code != "" && a.Code != tt.code {
				t.Errorf("%s: %s", name, a.body)
			}
			continue
		}
		if a.Width != 40 || a.Height != 20 {
			t.Errorf("%s: %s", name, a.body)
		}
		img, _, err := image.Decode(bytes.NewReader(ask(t, "GET", a.URL, "").body))
		if err != nil {
			t.Fatal(err)
		}
		if r, g, _, _ := img.At(38, 18).RGBA(); name == "html" && (r>>8 != 255 || g != 0) {
			t.Errorf("the background is %v", img.At(38, 18))
		}
	}
}

// What gets past the compiler meets the browser's policy: nobody hears of it.
func TestHTMLOfACallerReachesNothing(t *testing.T) {
	needChrome(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var heard atomic.Int64
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			heard.Add(1)
			_ = c.Close()
		}
	}()
	url, _ := newSite(t, "").run(Options{})
	at := "http://" + listener.Addr().String()
	for _, html := range []string{
		"<style>p{color:red} @media all { p { background: url(" + at + "/a.png) } }</style><p>a</p>",
		"<style>@import '" + at + "/a.css';</style><p>a</p>", "<style>@font-face{font-family:x;src:url(" + at + "/x.woff2)} p{font-family:x}</style><p>a</p>",
		"<form action='" + at + "'><input autofocus></form>", "<a href='" + at + "' ping='" + at + "'>a</a>", "<video poster='" + at + "/a.png'></video>",
	} {
		body, err := json.Marshal(map[string]any{"html": html, "width": 20, "height": 10})
		if err != nil {
			t.Fatal(err)
		}
		// Pictures that a page names are fetched by pictifyd, not by the browser.
		before := heard.Load()
		a := ask(t, "POST", url+"/image", string(body))
		if a.status == 200 && heard.Load() != before || a.status >= 500 {
			t.Errorf("%s: status %d, %d connections: %s", html, a.status, heard.Load()-before, a.body)
		}
	}
}

func TestMovingPicturesAndPagesAreMade(t *testing.T) {
	needChrome(t)
	url, _ := newSite(t, "").run(Options{})
	var moving struct {
		GIF struct {
			URL             string
			Width, Height   int
			AnimationLength float64
		}
	}
	a := ask(t, "POST", url+"/gif", `{"html":"<style>@keyframes k{to{margin-left:20px}} p{animation:k 1s linear; width:5px; height:5px; background:red}</style><p></p>","width":40,"height":20,"quality":"low"}`).must(t, 200)
	if err := json.Unmarshal(a.body, &moving); err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(ask(t, "GET", moving.GIF.URL, "").body))
	if err != nil || len(g.Image) < 5 || moving.GIF.AnimationLength < 0.9 || moving.GIF.AnimationLength > 1.1 || moving.GIF.Width != 40 {
		t.Errorf("%v: %s", err, a.body)
	}
	pages := ask(t, "POST", url+"/pdf/multi-page", `{"html":"<h1>{{ name }}</h1>","preset":"A5","variableSets":[{"name":"Ada"},{"name":"Grace"},{"name":"Edsger"}]}`).must(t, 200)
	file, err := pdf.Open(ask(t, "GET", pages.URL, "").body)
	if err != nil || len(file.Pages()) != 3 || pages.PageCount != 3 {
		t.Errorf("%v: %s", err, pages.body)
	}
}

// BenchmarkRenderNow is the daemon's promise to who waits: distinct cards, one
// after another, each from the request to the answer with its address.
func BenchmarkRenderNow(b *testing.B) {
	needChrome(b)
	for _, format := range []string{"jpeg", "png"} {
		b.Run(format, func(b *testing.B) {
			url, _ := newSite(b, "").run(Options{})
			for n := range 30 { // proofs, and Chrome itself
				renderCard(b, url, fmt.Sprintf("warm %d", n), format)
			}
			var took []time.Duration
			for n := 0; b.Loop(); n++ {
				began := time.Now()
				renderCard(b, url, fmt.Sprintf("card %d", n), format)
				took = append(took, time.Since(began))
			}
			reportTimes(b, took)
		})
	}
}

// BenchmarkBatchBesideRenders holds the seed's claim to account: so many rows as
// a batch take at most the time of a tenth of them one after another.
func BenchmarkBatchBesideRenders(b *testing.B) {
	needChrome(b)
	const rows, calls = 1000, 100
	s := newSite(b, "")
	url, _ := s.run(Options{})
	p := &process{tb: b, url: url}
	for n := range 30 {
		renderCard(b, url, fmt.Sprintf("warm %d", n), "jpeg")
	}
	var one, many time.Duration
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		for i := range calls {
			renderCard(b, url, fmt.Sprintf("run %d call %d", n, i), "jpeg")
		}
		one += time.Since(began)
		batch := batchRows(rows)
		for i := range batch {
			batch[i]["title"] = fmt.Sprintf("run %d row %d", n, i)
		}
		began = time.Now()
		id, err := p.postBatch(batch, s.receiver.server.URL)
		if err != nil {
			b.Fatal(err)
		}
		eventually(b, "the completion webhook", func() bool {
			return slices.ContainsFunc(s.receiver.all("batch.completed"), func(h hook) bool { return bytes.Contains(h.Data, []byte(id)) })
		})
		many += time.Since(began)
	}
	b.ReportMetric(one.Seconds()/float64(b.N), "100-calls-s")
	b.ReportMetric(many.Seconds()/float64(b.N), "1000-rows-s")
	b.ReportMetric(0, "ns/op")
}

func renderCard(tb testing.TB, url, title, format string) {
	tb.Helper()
	a := ask(tb, "POST", url+"/templates/card/render", fmt.Sprintf(`{"variables":{"title":%q,"price":12},"format":%q}`, title, format)).must(tb, 200)
	if a.Cached || !strings.HasPrefix(a.URL, url) {
		tb.Fatalf("got %s", a.body)
	}
}

func reportTimes(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}
