package assets_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/assets"
)

// A host is a server without a network, for tests in which time matters.
type host struct {
	handler http.HandlerFunc
	asked   []*http.Request
}

func (h *host) RoundTrip(r *http.Request) (*http.Response, error) {
	h.asked = append(h.asked, r)
	w := httptest.NewRecorder()
	h.handler(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// take is the requests since it was last asked.
func (h *host) take() []*http.Request {
	asked := h.asked
	h.asked = nil
	return asked
}

const logo = "https://photos.test/logo.png"

// named serves data under these names, and says 304 to who knows one of them.
func named(data []byte, etag, modified string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		w.Header().Set("Last-Modified", modified)
		if etag != "" && r.Header.Get("If-None-Match") == etag || modified != "" && r.Header.Get("If-Modified-Since") == modified {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(data)
	}
}

func newHost(handler http.HandlerFunc) (*host, *memory, *assets.Library) {
	h, m := &host{handler: handler}, newMemory()
	return h, m, assets.New(&http.Client{Transport: h}, m, m, assets.Limits{})
}

func mustFetch(t *testing.T, l *assets.Library, url string) assets.Pin {
	t.Helper()
	pin, err := l.Fetch(t.Context(), url, "")
	if err != nil {
		t.Fatal(err)
	}
	return pin
}

const lastYear = "Sat, 01 Nov 2025 10:00:00 GMT"

func TestSameBytesRenewOnlyThePinsTime(t *testing.T) {
	data := pngOf(t, 3, 2)
	for name, c := range map[string]struct{ etag, modified string }{
		"by both names": {`"a"`, lastYear}, "by ETag": {`W/"a"`, ""}, "by date": {"", lastYear}, "without a name": {"", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			h, _, l := newHost(named(data, c.etag, c.modified))
			first := mustFetch(t, l, logo+"#part")
			if first.Address != logo || first.ETag != c.etag || first.LastModified != c.modified || !first.CheckedAt.Equal(first.FetchedAt) {
				t.Errorf("%s: the pin is %+v", name, first)
			}
			h.take()
			time.Sleep(24 * time.Hour)
			again, err := l.Recheck(t.Context(), logo, "")
			want := first
			want.CheckedAt = time.Now().UTC()
			if diff := cmp.Diff(want, again); err != nil || diff != "" {
				t.Errorf("%s: %v, pin (-want +got):\n%s", name, err, diff)
			}
			asked := h.take()
			if len(asked) != 1 || asked[0].Header.Get("If-None-Match") != c.etag || asked[0].Header.Get("If-Modified-Since") != c.modified {
				t.Errorf("%s: asked was %v", name, asked)
			}
			if diff := cmp.Diff(want, mustFetch(t, l, logo)); diff != "" || len(h.take()) != 0 {
				t.Errorf("%s: the pin that is kept (-want +got):\n%s", name, diff)
			}
		})
	}
}

func TestOtherBytesAreAnotherPin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, l := newHost(named(pngOf(t, 3, 2), `"a"`, lastYear))
		first := mustFetch(t, l, logo)
		time.Sleep(time.Hour)
		data := pngOf(t, 5, 5)
		h.handler = named(data, `"b"`, "")
		again, err := l.Recheck(t.Context(), logo, "")
		now := time.Now().UTC()
		want := assets.Pin{Address: logo, Digest: again.Digest, ContentType: "image/png", Size: int64(len(data)), FetchedAt: now, CheckedAt: now, ETag: `"b"`}
		if diff := cmp.Diff(want, again); err != nil || diff != "" || again.Digest == first.Digest {
			t.Errorf("%v, pin (-want +got):\n%s", err, diff)
		}
		if diff := cmp.Diff(want, mustFetch(t, l, logo)); diff != "" {
			t.Errorf("the pin that is kept (-want +got):\n%s", diff)
		}
		for _, digest := range []string{first.Digest, again.Digest} { // pictures of before may still be drawn
			r, _, err := l.Open(t.Context(), digest)
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
		}
	})
}

// A server that gave its bytes another name has not given other bytes.
func TestNewNameOfSameBytesIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := pngOf(t, 3, 2)
		h, _, l := newHost(named(data, `"a"`, ""))
		first := mustFetch(t, l, logo)
		time.Sleep(time.Hour)
		h.handler = named(data, `"b"`, "")
		again, err := l.Recheck(t.Context(), logo, "")
		want := first
		want.ETag, want.CheckedAt = `"b"`, time.Now().UTC()
		if diff := cmp.Diff(want, again); err != nil || diff != "" {
			t.Errorf("%v, pin (-want +got):\n%s", err, diff)
		}
	})
}

func TestAnswerThatIsNoFileLeavesThePin(t *testing.T) {
	data := pngOf(t, 3, 2)
	for name, handler := range map[string]http.HandlerFunc{
		"gone":      answer(http.StatusGone),
		"down":      answer(http.StatusServiceUnavailable),
		"no image":  serve("image/png", []byte("<!doctype html><p>Log in")),
		"cut off":   serve("image/png", data[:len(data)-9]),
		"too large": serve("image/png", bytes.Repeat([]byte{0}, 21<<20)),
		"empty":     serve("image/png", nil),
	} {
		synctest.Test(t, func(t *testing.T) {
			h, _, l := newHost(named(data, `"a"`, ""))
			first := mustFetch(t, l, logo)
			time.Sleep(time.Hour)
			h.handler = handler
			h.take()
			for range 2 {
				if _, err := l.Recheck(t.Context(), logo, "this hour"); assets.Reason(err) == "" || err == nil {
					t.Errorf("%s: the error is %v", name, err)
				}
			}
			if n := len(h.take()); n != 1 {
				t.Errorf("%s: asked %d times in one scope", name, n)
			}
			if diff := cmp.Diff(first, mustFetch(t, l, logo)); diff != "" {
				t.Errorf("%s: the pin (-want +got):\n%s", name, diff)
			}
			h.handler = named(data, `"a"`, "")
			if _, err := l.Recheck(t.Context(), logo, "the next hour"); err != nil {
				t.Errorf("%s: in the next scope: %v", name, err)
			}
		})
	}
}

// The words of one address must not be believed of another.
func TestRedirectedBytesHaveNoName(t *testing.T) {
	data := pngOf(t, 3, 2)
	redirect := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/logo.png" {
			http.Redirect(w, r, "/files/1.png", http.StatusFound)
			return
		}
		named(data, `"1"`, lastYear)(w, r)
	}
	h, _, l := newHost(redirect)
	if pin := mustFetch(t, l, logo); pin.ETag != "" || pin.LastModified != "" || pin.Digest == "" {
		t.Errorf("the pin is %+v", pin)
	}
	h.take()
	if _, err := l.Recheck(t.Context(), logo, ""); err != nil {
		t.Error(err)
	}
	h, _, l = newHost(named(data, `"1"`, lastYear))
	mustFetch(t, l, logo)
	h.handler = redirect
	data = pngOf(t, 7, 7) // under the same name
	before := len(h.take())
	pin, err := l.Recheck(t.Context(), logo, "")
	if err != nil || pin.Size != int64(len(data)) {
		t.Errorf("the other bytes behind a redirect are not seen: %+v, %v", pin, err)
	}
	for i, r := range h.take() {
		if conditional := r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since") != ""; conditional != (i == 0) {
			t.Errorf("request %d for %s: conditional %v", i, r.URL, conditional)
		}
	}
	if before != 1 {
		t.Errorf("%d requests before", before)
	}
}

func TestUnaskedNotModifiedIsNoFile(t *testing.T) {
	_, m, l := newHost(answer(http.StatusNotModified))
	_, err := l.Fetch(t.Context(), logo, "")
	wantFailure(t, err, true, "304")
	if pins, _ := m.count(); pins != 0 {
		t.Errorf("%d pins", pins)
	}
}

func TestRecheckOfWhatIsNotThereFetches(t *testing.T) {
	h, m, l := newHost(named(pngOf(t, 3, 2), `"a"`, ""))
	first, err := l.Recheck(t.Context(), logo, "")
	if err != nil || first.Digest == "" {
		t.Errorf("without a pin: %+v, %v", first, err)
	}
	m.forgetBlobs()
	h.take()
	if again, err := l.Recheck(t.Context(), logo, ""); err != nil || again.Digest != first.Digest {
		t.Errorf("without its bytes: %+v, %v", again, err)
	}
	if asked := h.take(); len(asked) != 1 || asked[0].Header.Get("If-None-Match") != "" {
		t.Errorf("asked was %v", asked)
	}
	if _, err := l.Recheck(t.Context(), "file:///etc/passwd", ""); err == nil {
		t.Error("what is no address is asked for")
	}
}

func TestNameThatIsNoneIsNotKept(t *testing.T) {
	h, _, l := newHost(nil)
	for name, etag := range map[string]string{"long": `"` + strings.Repeat("x", 2000) + `"`, "not UTF-8": "\"\xff\""} {
		h.handler = func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Etag"] = []string{etag}
			_, _ = io.Copy(w, bytes.NewReader(pngOf(t, 3, 2)))
		}
		if pin := mustFetch(t, l, logo+"?"+name[:2]); pin.ETag != "" {
			t.Errorf("%s: the name is %q", name, pin.ETag)
		}
	}
}
