package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/template"
)

// canvases is the world's easel: what it draws are the fingerprints.
type canvases struct{ w *world }

func (c canvases) Epoch(context.Context) (int64, error) { return 1, nil }

func (c canvases) Compile(_ context.Context, doc *bindings.Document) (bindings.Template, error) {
	return template.ParseDocument([]byte(doc.Source), doc.Assets, doc.Width, doc.Height)
}

func (c canvases) Draw(_ context.Context, want bindings.Want, may func() error) (Drawn, error) {
	data := []byte(want.Fingerprint)
	if want.Spec.Format == "gif" {
		var b bytes.Buffer
		still := image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.Black})
		if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{still}, Delay: []int{150}}); err != nil {
			return Drawn{}, err
		}
		data = b.Bytes()
	}
	c.w.mu.Lock()
	_, cached := c.w.blobs[hashOf(data)]
	c.w.mu.Unlock()
	if !cached && may != nil {
		if err := may(); err != nil {
			return Drawn{}, err
		}
	}
	c.w.change(func() { c.w.blobs[hashOf(data)] = data })
	ext := want.Spec.Format
	if ext == "jpeg" {
		ext = "jpg"
	}
	return Drawn{Hash: hashOf(data), Ext: ext, Bytes: int64(len(data)), Width: 1200, Height: 630, At: time.Now(), Cached: cached}, nil
}

func TestAddressesOpenOnlyWhatWasSigned(t *testing.T) {
	cfg := locked()
	cfg.URLKeys = []URLKey{{ID: "k2", Secret: config.NewSecret("the-new-secret-of-addresses")}, {ID: "k1", Secret: config.NewSecret("the-old-secret-of-addresses")}}
	s := mustServer(t, cfg, newWorld())
	sign := func(path, secret string) string { return SignPath(path, secret) }
	const newer, older = "the-new-secret-of-addresses", "the-old-secret-of-addresses"
	later, before := strconv.FormatInt(time.Now().Unix()+60, 10), strconv.FormatInt(time.Now().Unix()-1, 10)
	good := sign("/i/tpl_certificate.png?recipient_name=a%20b&kid=k2", newer)
	for name, tt := range map[string]struct {
		path   string
		status int
		slug   string
	}{
		"the newest key":             {good, 200, ""},
		"the older key":              {sign("/i/tpl_certificate.png?recipient_name=a&kid=k1", older), 200, ""},
		"without the key's name":     {sign("/i/tpl_certificate.png?recipient_name=a", older), 200, ""},
		"without any parameter":      {sign("/i/tpl_certificate.png", newer), 200, ""},
		"until later":                {sign("/i/tpl_certificate.png?exp="+later, newer), 200, ""},
		"until before":               {sign("/i/tpl_certificate.png?exp="+before, newer), 403, slugExpired},
		"with another key's name":    {sign("/i/tpl_certificate.png?kid=k1", newer), 403, slugSignature},
		"with an unknown key's name": {sign("/i/tpl_certificate.png?kid=k0", newer), 403, slugSignature},
		"signed by a stranger":       {sign("/i/tpl_certificate.png?kid=k2", "a-secret-that-is-none"), 403, slugSignature},
		"not signed":                 {"/i/tpl_certificate.png?recipient_name=a", 403, slugSignature},
		"with an empty signature":    {"/i/tpl_certificate.png?recipient_name=a&sig=", 403, slugSignature},
		"in another encoding":        {strings.Replace(good, "a%20b", "a+b", 1), 403, slugSignature},
		"with another value":         {strings.Replace(good, "a%20b", "a%20c", 1), 403, slugSignature},
		"as another format":          {strings.Replace(good, ".png", ".pdf", 1), 403, slugSignature},
		"with something behind":      {good + "&utm_source=x", 403, slugSignature},
		"with something in front":    {strings.Replace(good, "?", "?width=1&", 1), 403, slugSignature},
		"twice until":                {sign("/i/tpl_certificate.png?exp="+later+"&exp="+before, newer), 403, slugSignature},
		"signed for /b":              {"/i/tpl_certificate.png?" + strings.SplitN(sign("/b/tpl_certificate.png", newer), "?", 2)[1], 403, slugSignature},
		"no template":                {sign("/i/tpl_certificat.png", newer), 404, "template_not_found"},
		"no format":                  {sign("/i/tpl_certificate.exe", newer), 404, slugImageNotFound},
		"another format beside":      {sign("/i/tpl_certificate.png?format=pdf", newer), 422, "invalid"},
		"a misspelt variable":        {sign("/i/tpl_certificate.png?recipient_nam=a", newer), 422, "unknown_variable"},
		"a variable twice":           {sign("/i/tpl_certificate.png?recipient_name=a&recipient_name=b", newer), 422, "given_twice"},
		"pixels that no size has":    {sign("/i/tpl_certificate.png?width=99999", newer), 422, "out_of_range"},
		"pixels of no size":          {sign("/i/tpl_certificate.png?width=3999", newer), 422, "unknown_size"},
		"v that is no base64":        {sign("/i/tpl_certificate.png?v=%40%40", newer), 422, "wrong_type"},
		"v that is no object":        {sign("/i/tpl_certificate.png?v="+base64.RawURLEncoding.EncodeToString([]byte("[1]")), newer), 422, "wrong_type"},
		"v":                          {sign("/i/tpl_certificate.png?v="+base64.RawURLEncoding.EncodeToString([]byte(`{"recipient_name":"a"}`)), newer), 200, ""},
	} {
		out := get(tt.path).to(t, s)
		if tt.slug == "" {
			if out.Code != tt.status || out.Header().Get("Content-Type") != "image/png" {
				t.Errorf("%s: status %d: %s", name, out.Code, out.Body)
			}
			continue
		}
		t.Run(name, func(t *testing.T) { mustProblem(t, out, tt.status, tt.slug) })
	}
}

func TestSignedAddressesAreKeptByCaches(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	first := get(SignPath("/i/tpl_certificate.png?size=story", urlKey)).to(t, s)
	if got := first.Header().Get("Cache-Control"); got != "public, max-age=300, stale-while-revalidate=86400" {
		t.Errorf("Cache-Control %q", got)
	}
	again := get(SignPath("/i/tpl_certificate.png?size=story", urlKey)).with("If-None-Match", first.Header().Get("ETag")).to(t, s)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("status %d for who has it", again.Code)
	}
	soon := strconv.FormatInt(time.Now().Unix()+100, 10)
	short := get(SignPath("/i/tpl_certificate.png?version=3&exp="+soon, urlKey)).to(t, s).Header().Get("Cache-Control")
	if short != "public, max-age=100, stale-while-revalidate=0" && short != "public, max-age=99, stale-while-revalidate=0" {
		t.Errorf("an address that ends is cached %q", short)
	}
	if pinned := get(SignPath("/i/tpl_certificate.png?version=3", urlKey)).to(t, s).Header().Get("Cache-Control"); !strings.HasPrefix(pinned, "public, max-age=86400,") {
		t.Errorf("a version that is pinned is cached %q", pinned)
	}
	if own := get("/templates/tpl_certificate/render?recipient_name=a&format=jpeg").bearer(fullKey).to(t, s); own.Code != 200 ||
		own.Header().Get("Cache-Control") != "private, no-cache" || own.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("with a key: %d %v", own.Code, own.Header())
	}
	if out := get(SignPath("/templates/tpl_certificate/render?recipient_name=a", urlKey)).to(t, s); out.Code != 200 {
		t.Errorf("signed: %d %s", out.Code, out.Body)
	}
	mustProblem(t, get("/templates/tpl_certificate/render?recipient_name=a&sig=x").bearer(fullKey).to(t, s), 403, slugSignature)
}

func TestPicturesBySignedAddressesAreCounted(t *testing.T) {
	cfg := locked()
	cfg.Now = NowConfig{PerURLKey: 5, PerAddress: 3}
	s := mustServer(t, cfg, newWorld())
	from := func(client string, n int) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, SignPath(fmt.Sprintf("/i/tpl_certificate.png?quality=1&format=&scale=1.%d", n), urlKey), nil)
		r.URL, _ = url.Parse(SignPath(fmt.Sprintf("/i/tpl_certificate.png?scale=1.%d", n), urlKey))
		r.Host, r.RemoteAddr = "images.example", client
		out := httptest.NewRecorder()
		s.ServeHTTP(out, r)
		return out
	}
	for n := range 3 {
		if out := from("192.0.2.1:1000", n); out.Code != 200 {
			t.Fatalf("picture %d: %s", n, out.Body)
		}
	}
	out := from("192.0.2.1:1001", 3)
	if d := mustProblem(t, out, 429, slugRenderRate); !d.Retryable || out.Header().Get("Retry-After") == "" {
		t.Errorf("got %+v, Retry-After %q", d, out.Header().Get("Retry-After"))
	}
	if out := from("192.0.2.1:1001", 2); out.Code != 200 {
		t.Errorf("a picture that is there: %s", out.Body)
	}
	for n := range 2 {
		if out := from("[2001:db8::1]:1", 4+n); out.Code != 200 {
			t.Fatalf("another client: %s", out.Body)
		}
	}
	mustProblem(t, from("[2001:db8::2]:1", 6), 429, slugRenderRate) // the key has no more
}

func TestASignedAddressWorks(t *testing.T) {
	cfg := locked(Key{Key: config.NewSecret(fullKey)}, Key{Name: "other", Key: config.NewSecret("key-for-another-template"), Templates: []string{"other"}})
	cfg.URLKeys = []URLKey{{ID: "k1", Secret: config.NewSecret("the-secret-of-all-addresses")}}
	s := mustServer(t, cfg, newWorld())
	signed := mustAnswer[addressView](t, post("/templates/tpl_certificate/sign",
		`{"variables":{"recipient_name":"Zoë & \"Al\""},"format":"jpeg","quality":0.5,"size":"story","expiresIn":3600}`).bearer(fullKey).to(t, s), 200)
	if !strings.HasPrefix(signed.URL, "https://images.example/i/tpl_certificate.jpeg?") || signed.KeyID != "k1" || signed.ExpiresAt == nil {
		t.Errorf("got %+v", signed)
	}
	if out := get(signed.Path).to(t, s); out.Code != 200 || out.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("%s: %d %s", signed.Path, out.Code, out.Body)
	}
	for body, slug := range map[string]string{
		`{"size":"stori"}`:                   "unknown_size",
		`{"outputs":[]}`:                     "unknown_field",
		`{"expiresIn":0}`:                    "out_of_range",
		`{"expiresIn":"soon"}`:               "out_of_range",
		`{"variables":[]}`:                   "wrong_type",
		`{"format":"bmp"}`:                   "invalid",
		`{"webhookUrl":"https://a.example"}`: "unknown_field",
	} {
		t.Run(body, func(t *testing.T) {
			mustProblem(t, post("/templates/tpl_certificate/sign", body).bearer(fullKey).to(t, s), 422, slug)
		})
	}
	mustProblem(t, post("/templates/tpl_certificate/sign", `{}`).bearer("key-for-another-template").to(t, s), 404, "template_not_found")
}

func TestAKeyForSomeTemplatesRendersNoOther(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(Key{Name: "card", Key: config.NewSecret("key-for-another-template"), Templates: []string{"other"}},
		Key{Name: "reader", Key: config.NewSecret("key-that-only-reads-it"), Scopes: []Scope{RendersRead, TemplatesWrite}}), w)
	for path, body := range map[string]string{
		"/templates/tpl_certificate/render": `{}`, "/image": `{"template":"tpl_certificate"}`, "/gif": `{"templateId":"tpl_certificate"}`,
		"/pdf/render": `{"templateUid":"tpl_certificate"}`, "/pdf/multi-page": `{"template":"tpl_certificate","variableSets":[{}]}`,
	} {
		mustProblem(t, post(path, body).bearer("key-for-another-template").to(t, s), 404, "template_not_found")
		mustProblem(t, post(path, body).bearer("key-that-only-reads-it").to(t, s), 403, slugScope)
	}
	mustProblem(t, post("/templates/tpl_certificate/render", `{"version":"draft"}`).bearer("key-for-another-template").to(t, s), 404, "template_not_found")
	mustProblem(t, get("/templates/tpl_certificate/render").bearer("key-for-another-template").to(t, s), 404, "template_not_found")
	mustProblem(t, post("/image", `{"html":"<p>a</p>"}`).bearer("key-for-another-template").to(t, s), 403, slugScope)
	if len(w.blobs) != 0 {
		t.Errorf("%d pictures were made", len(w.blobs))
	}
}

func TestAGIFSaysHowLongItIs(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	got := mustAnswer[struct{ GIF gifView }](t, post("/gif", `{"html":"<p>a</p>","quality":"low"}`).to(t, s), 200).GIF
	if got.Length != 1.5 || !strings.HasSuffix(got.URL, ".gif") || got.Width != 1200 || !strings.HasPrefix(got.UID, "img_") {
		t.Errorf("got %+v", got)
	}
}

// docSecret is that of the example in docs/now.md.
const docSecret = "correct-horse-battery-staple"

func TestTheDocumentedProgramsSign(t *testing.T) {
	text, err := os.ReadFile("../docs/now.md")
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`(?m)^/i/card\.png.*$`).FindString(string(text))
	path, signature, _ := strings.Cut(address, "&sig=")
	if !signing.Verify(path, signature, docSecret) {
		t.Errorf("the address of docs/now.md is not signed with its secret: %s", address)
	}
	for language, run := range map[string][]string{"go": {"go", "run", "sign.go"}, "js": {"node", "sign.js"}, "python": {"python3", "sign.python"}} {
		t.Run(language, func(t *testing.T) {
			if _, err := exec.LookPath(run[0]); err != nil {
				if os.Getenv("PICTIFYD_TEST_ALL") != "" {
					t.Fatal(err)
				}
				t.Skipf("needs %s", run[0])
			}
			program := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(text)
			if program == nil {
				t.Fatal("docs/now.md has no such program")
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "sign."+language), program[1], 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), run[0], run[1:]...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != address {
				t.Errorf("it says %v\n%s\nwant\n%s", err, got, address)
			}
		})
	}
}
