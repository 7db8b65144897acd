package api

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
)

var picture = []byte("\x89PNG\r\n\x1a\nall the bytes of a picture")

func TestImmutableImageIsKeptForEver(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	hash := w.put("cards", "SKU-1", "card", "png", picture)
	path := "/images/" + hash + ".png"
	out := get(path).to(t, s)
	if out.Code != 200 || !bytes.Equal(out.Body.Bytes(), picture) {
		t.Fatalf("status %d, %q", out.Code, out.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "Cache-Control": "public, max-age=31536000, immutable", "Etag": `"` + hash + `"`,
		"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin", "Accept-Ranges": "bytes",
	} {
		if got := out.Header().Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	if out := get(path).with("If-None-Match", `"`+hash+`"`).to(t, s); out.Code != 304 || out.Body.Len() != 0 {
		t.Errorf("the client has it: status %d, %d bytes", out.Code, out.Body.Len())
	}
	part := get(path).with("Range", "bytes=1-3").to(t, s)
	if part.Code != 206 || part.Body.String() != "PNG" {
		t.Errorf("a range: status %d, %q", part.Code, part.Body)
	}
	head := call{method: http.MethodHead, path: path}.to(t, s)
	if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: status %d, %d bytes, headers %v", head.Code, head.Body.Len(), head.Header())
	}
}

func TestImagePathsThatNameNothing(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	hash := w.put("cards", "SKU-1", "card", "png", picture)
	for _, file := range []string{
		hash, hash + ".", hash + ".html", hash + ".svg", hash[:63] + ".png", hash[:63] + "G.png", "..%2F..%2Fetc%2Fpasswd.png",
		hashOf([]byte("other")) + ".png", ".png",
	} {
		mustProblem(t, get("/images/"+file).to(t, s), 404, "image_not_found")
	}
}

func TestStableAddressServesTheNewestImage(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	first := w.put("cards", "SKU-1", "card", "png", picture)
	w.put("cards", "SKU-1", "story", "jpg", []byte("story"))
	out := get("/b/cards/SKU-1.png").to(t, s)
	if out.Code != 200 || !bytes.Equal(out.Body.Bytes(), picture) || out.Header().Get("ETag") != `"`+first+`"` ||
		out.Header().Get("Cache-Control") != "public, no-cache" {
		t.Fatalf("status %d, headers %v", out.Code, out.Header())
	}
	if out := get("/b/cards/SKU-1/story.jpg").to(t, s); out.Code != 200 || out.Body.String() != "story" || out.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("by output: status %d, %q", out.Code, out.Body)
	}
	if out := get("/b/cards/SKU-1.jpg").to(t, s); out.Code != 200 || out.Body.String() != "story" {
		t.Errorf("by extension: status %d, %q", out.Code, out.Body)
	}
	asks := get("/b/cards/SKU-1.png").with("If-None-Match", `"`+first+`"`)
	if out := asks.to(t, s); out.Code != 304 {
		t.Errorf("unchanged: status %d", out.Code)
	}
	w.put("cards", "SKU-1", "card", "png", []byte("a new picture"))
	if out := asks.to(t, s); out.Code != 200 || out.Body.String() != "a new picture" {
		t.Errorf("changed: status %d, %q", out.Code, out.Body)
	}
}

func TestKeysInPathsMayHoldAnything(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for _, columns := range [][]any{
		{"a/b"}, {"a.b"}, {"shoe.v2.png"}, {"."}, {".."}, {"Größe 42, rot"}, {"a", "b"}, {"a,b"}, {"100%"}, {"a?b#c"}, {"a%2Fb"}, {"batch"},
		{"日本"}, {"a b+c"},
	} {
		key, err := bindings.CanonicalKey(columns)
		if err != nil {
			t.Fatal(err)
		}
		w.put("cards", key, "card", "png", []byte(key))
		for _, path := range []string{"/b/cards/" + key + ".png", "/b/cards/" + key + "/card.png", "/v1/b/cards/" + key + ".png"} {
			if out := get(path).to(t, s); out.Code != 200 || out.Body.String() != key {
				t.Errorf("%v at %s: status %d, %q", columns, path, out.Code, out.Body)
			}
		}
	}
	for path, key := range map[string]string{ // as a person types it
		"/b/cards/shoe.v2.png": "shoe%2Ev2", "/b/cards/a%2fc.png": "a%2Fc", "/b/cards/x:y.png": "x%3Ay",
	} {
		w.put("cards", key, "card", "png", []byte(key))
		if out := get(path).to(t, s); out.Code != 200 || out.Body.String() != key {
			t.Errorf("%s: status %d, %q, want the image of %s", path, out.Code, out.Body, key)
		}
	}
}

func TestStablePathsThatNameNothing(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for path, slug := range map[string]string{
		"/b/cards/SKU-1.png":            "image_not_found",
		"/b/cards/SKU-1":                "image_not_found",
		"/b/cards/SKU-1.exe":            "image_not_found",
		"/b/cards":                      "image_not_found",
		"/b/cards/a/b/c.png":            "image_not_found",
		"/b/cards/SKU-1/.png":           "image_not_found",
		"/b/crads/SKU-1.png":            "binding_not_found",
		"/b/cards/" + "%FF%FE" + ".png": "image_not_found",
	} {
		mustProblem(t, get(path).to(t, s), 404, slug)
	}
}

func TestImageBeingMadeSaysWhenToAskAgain(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.images["cards/SKU-1/card"] = bindings.Image{Key: "SKU-1", Output: "card", Ext: "png", Waiting: true}
	out := get("/b/cards/SKU-1.png").to(t, s)
	if d := mustProblem(t, out, 404, "not_ready"); !d.Retryable || out.Header().Get("Retry-After") != "2" || out.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %+v, headers %v", d, out.Header())
	}
	w.images["cards/SKU-1/card"] = bindings.Image{Key: "SKU-1", Ext: "png", Problem: &bindings.Problem{Code: "missing_variable", Field: "variables.photo", Message: "the photo is missing"}}
	if d := mustProblem(t, get("/b/cards/SKU-1.png").to(t, s), 404, "image_failed"); d.Errors[0].Field != "variables.photo" {
		t.Errorf("got %+v", d)
	}
	w.images["cards/SKU-1/card"] = bindings.Image{Key: "SKU-1", Ext: "png", Removed: true, Hash: hashOf(picture)}
	mustProblem(t, get("/b/cards/SKU-1.png").to(t, s), 410, "image_removed")
}

func TestVanishedBytesAreMadeAgain(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	hash := w.put("cards", "SKU-1", "card", "png", picture)
	delete(w.blobs, hash)
	for _, path := range []string{"/images/" + hash + ".png", "/b/cards/SKU-1.png"} {
		out := get(path).to(t, s)
		mustProblem(t, out, 404, "not_ready")
		if out.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: Retry-After %q", path, out.Header().Get("Retry-After"))
		}
	}
	if len(w.remade) != 2 || w.remade[0] != hash {
		t.Errorf("made again were %q", w.remade)
	}
}

func TestOldImageStaysWhileTheNewOneIsMade(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.put("cards", "SKU-1", "card", "png", picture)
	w.change(func() {
		i := w.images["cards/SKU-1/card"]
		i.Waiting = true
		w.images["cards/SKU-1/card"] = i
	})
	if out := get("/b/cards/SKU-1.png").to(t, s); out.Code != 200 {
		t.Errorf("status %d", out.Code)
	}
}

func TestImagesOfAPrivateBindingNeedAKeyOrASignature(t *testing.T) {
	w := newWorld()
	w.put("private", "1", "png", "png", picture)
	w.put("cards", "1", "card", "png", picture)
	s := mustServer(t, locked(
		Key{Key: config.NewSecret(fullKey)},
		Key{Name: "images", Key: config.NewSecret("key-that-reads-images"), Scopes: []Scope{ImagesRead}},
		Key{Name: "batches", Key: config.NewSecret("key-that-sends-batches"), Scopes: []Scope{RendersWrite}},
	), w)
	if out := get("/b/cards/1.png").to(t, s); out.Code != 200 {
		t.Errorf("a public binding: status %d", out.Code)
	}
	mustProblem(t, get("/b/private/1.png").to(t, s), 401, "missing_authorization")
	mustProblem(t, get("/b/no-such-binding/1.png").to(t, s), 401, "missing_authorization")
	mustProblem(t, get("/b/private/1.png").bearer("key-that-sends-batches").to(t, s), 403, "scope_missing")
	out := get("/b/private/1.png").bearer("key-that-reads-images").to(t, s)
	if out.Code != 200 || out.Header().Get("Cache-Control") != "private, no-cache" {
		t.Errorf("with a key: status %d, %q", out.Code, out.Header().Get("Cache-Control"))
	}
	if out := get(SignPath("/b/private/1.png", urlKey)).to(t, s); out.Code != 200 {
		t.Errorf("signed: status %d", out.Code)
	}
	for _, path := range []string{
		strings.Replace(SignPath("/b/private/2.png", urlKey), "2.png", "1.png", 1),
		SignPath("/b/private/1.png", "another-secret"), "/b/private/1.png?sig=", SignPath("/b/private/1.png", ""),
	} {
		mustProblem(t, get(path).to(t, s), 401, "missing_authorization")
	}
}

func TestSignedResultsAreReadUntilTheyExpire(t *testing.T) {
	w := newWorld()
	w.acceptedJob("batch_1", 3, 1)
	s := mustServer(t, locked(), w)
	good := SignPath(JobPath("batch_1", "results.ndjson", time.Now().Add(time.Hour)), urlKey)
	for _, path := range []string{good, good + "&after=0", good + "&status=failed"} {
		if out := get(path).to(t, s); out.Code != 200 {
			t.Errorf("%s: status %d", path, out.Code)
		}
	}
	for _, path := range []string{
		SignPath(JobPath("batch_1", "results.ndjson", time.Now().Add(-time.Second)), urlKey),
		SignPath(JobPath("batch_1", "results.ndjson", time.Now().Add(time.Hour)), "another-secret"),
		good + "0", "/jobs/batch_1/results.ndjson?exp=99999999999&sig=" + good[len(good)-43:],
	} {
		mustProblem(t, get(path).to(t, s), 401, "missing_authorization")
	}
}

func TestPDFIsShownAndSavedUnderItsName(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for _, c := range []struct {
		columns []any
		want    string
	}{
		{[]any{"SKU-1"}, `inline; filename=SKU-1.pdf`},
		{[]any{"Größe 42"}, `inline; filename*=utf-8''Gr%C3%B6%C3%9Fe%2042.pdf`},
		{[]any{"../../etc/passwd"}, `inline; filename=-..-etc-passwd.pdf`},
		{[]any{"a\"; filename=b.exe"}, `inline; filename="a-; filename=b.exe.pdf"`},
		{[]any{"a\r\nSet-Cookie: x"}, `inline; filename="a--Set-Cookie- x.pdf"`},
		{[]any{strings.Repeat("x", 300)}, "inline; filename=" + strings.Repeat("x", 100) + ".pdf"},
	} {
		key, err := bindings.CanonicalKey(c.columns)
		if err != nil {
			t.Fatal(err)
		}
		hash := w.put("cards", key, "pdf", "pdf", []byte("%PDF-1.7"))
		out := get("/b/cards/"+key+".pdf").to(t, s)
		if got := out.Header().Get("Content-Disposition"); out.Code != 200 || got != c.want {
			t.Errorf("%v: status %d, Content-Disposition %q, want %q", c.columns, out.Code, got, c.want)
		}
		if kind, policy := out.Header().Get("Content-Type"), out.Header().Get("Content-Security-Policy"); kind != "application/pdf" || policy != "" {
			t.Errorf("%v: served as %q with the policy %q", c.columns, kind, policy)
		}
		if got := get("/images/"+hash+".pdf").to(t, s).Header().Get("Content-Disposition"); got != "inline; filename="+hash+".pdf" {
			t.Errorf("by its hash it is saved as %q", got)
		}
	}
}

func TestGIFIsServedAsAPicture(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.put("cards", "SKU-1", "gif", "gif", []byte("GIF89a"))
	out := get("/b/cards/SKU-1.gif").to(t, s)
	if h := out.Header(); out.Code != 200 || h.Get("Content-Type") != "image/gif" || h.Get("Content-Disposition") != "" || h.Get("Content-Security-Policy") == "" {
		t.Errorf("status %d, headers %v", out.Code, h)
	}
}
