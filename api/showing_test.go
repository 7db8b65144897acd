package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A foyer is an exhibit in memory, of one experiment with the slug spring.
type foyer struct {
	visits  []Visit
	calls   []EventCall
	orders  []AssignOrder
	failing []FailingVariant
	unkept  bool
}

const (
	springKey = "wk_spring"
	person    = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
)

func (f *foyer) of(name string) error {
	if name != "spring" {
		return problem.New(problem.NotFound, "no experiment %q is shown", name).WithSlug("experiment_not_found")
	}
	return nil
}

func (f *foyer) Show(_ context.Context, name string, v Visit) (Shown, error) {
	f.visits = append(f.visits, v)
	return Shown{Variant: "bold", Hash: hashOf([]byte("bold")), Ext: "png", Unkept: f.unkept, Bytes: struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader([]byte("bold")), io.NopCloser(nil)}}, f.of(name)
}

func (f *foyer) Click(_ context.Context, name string, v Visit) (string, error) {
	f.visits = append(f.visits, v)
	return "https://shop.example/?px_exp=" + name, f.of(name)
}

func (f *foyer) View(_ context.Context, name string, v Visit) error {
	f.visits = append(f.visits, v)
	return f.of(name)
}

func (f *foyer) TakeEvents(_ context.Context, call EventCall) ([]EventTaken, error) {
	f.calls = append(f.calls, call)
	taken := make([]EventTaken, len(call.Events))
	for i, e := range call.Events {
		taken[i].Variant = "bold"
		taken[i].Duplicate, taken[i].Mismatch, taken[i].Unassigned = e.ID == "again", e.Claimed == "plain", e.Unit == "nobody"
		taken[i].Err = f.of(e.Experiment)
	}
	return taken, nil
}

func (f *foyer) Assign(_ context.Context, _ string, order AssignOrder) ([]Assigned, error) {
	f.orders = append(f.orders, order)
	var all []Assigned
	for _, u := range order.Units {
		all = append(all, Assigned{u.Unit, "bold", true, UnitURLs{Image: "https://x/s/spring/" + u.Unit + ".png", Click: "https://x/click", Pixel: "https://x/pixel.gif"}})
	}
	return all, nil
}

func (f *foyer) Failing() []FailingVariant { return f.failing }

// asPerson is c as a browser sends it.
func (c call) asPerson() call { return c.with("User-Agent", person) }

func reported(body string) call { return post("/s/events", body).with("X-Write-Key", springKey) }

func TestVariantIsServedToNobodyElse(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	out := get("/s/spring/a%2Fb.c%20%C3%BC.png?sig=abc&custom.plan=pro").asPerson().with("CF-IPCountry", "de").to(t, s)
	if out.Code != 200 || out.Body.String() != "bold" {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	for name, want := range map[string]string{
		"Cache-Control": "private, no-cache, max-age=0", "ETag": `"bold-` + hashOf([]byte("bold")) + `"`, "X-Robots-Tag": "noindex", "X-Variant": "bold",
		"Content-Type": "image/png", "Access-Control-Allow-Origin": "*", "Vary": "", "Set-Cookie": "",
	} {
		if got := out.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	v := w.exhibit.visits[0]
	if v.Unit != "a/b.c ü" || v.Signature != "abc" || v.Facts.Country != "DE" || v.Facts.Device != experiment.Desktop || v.Facts.Custom["plan"] != "pro" || !v.Client.Countable {
		t.Errorf("the visit is %+v", v)
	}
	again := get("/s/spring/a.png").asPerson().with("If-None-Match", out.Header().Get("ETag")).to(t, s)
	if again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("whoever has it got %d with %d bytes", again.Code, again.Body.Len())
	}
	if len(w.exhibit.visits) != 2 {
		t.Error("whoever has it was not counted")
	}
}

func TestVariantMayBeRedirectedTo(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	out := get("/s/spring/a.png?mode=redirect").asPerson().to(t, s)
	if want := "/images/" + hashOf([]byte("bold")) + ".png"; out.Code != 302 || out.Header().Get("Location") != want || out.Header().Get("Cache-Control") != shownCaching {
		t.Errorf("got %d to %q, %q", out.Code, out.Header().Get("Location"), out.Header().Get("Cache-Control"))
	}
	w.exhibit.unkept = true // there is no such address
	if out := get("/s/spring/a.png?mode=redirect").asPerson().to(t, s); out.Code != 200 {
		t.Errorf("bytes that are kept nowhere got %d", out.Code)
	}
}

// HEAD, bots and those who fetch ahead are told apart from the request alone.
func TestMachinesDoNotCount(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for name, c := range map[string]call{
		"HEAD":       {method: http.MethodHead, path: "/s/spring/a.png"},
		"a bot":      get("/s/spring/a.png").with("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
		"nobody":     get("/s/spring/a.png").with("User-Agent", ""),
		"a prefetch": get("/s/spring/a.png").asPerson().with("Sec-Purpose", "prefetch;prerender"),
		"a gateway":  get("/s/spring/a.png").with("User-Agent", "Mozilla/5.0 Barracuda Sentinel"),
	} {
		if name == "HEAD" {
			c = c.asPerson()
		}
		w.exhibit.visits = nil
		if out := c.to(t, s); out.Code != 200 || w.exhibit.visits[0].Client.Countable {
			t.Errorf("%s: %d, %+v", name, out.Code, w.exhibit.visits)
		}
	}
}

func TestBrowserOfTheSiteGetsAUnit(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	out := get("/s/spring.png").asPerson().with("Sec-Fetch-Site", "same-site").to(t, s)
	cookie, unit := out.Header().Get("Set-Cookie"), w.exhibit.visits[0].Unit
	if !unitsOfCookies.MatchString(unit) || !strings.HasPrefix(cookie, "pf_unit="+unit+";") || !strings.Contains(cookie, "SameSite=Lax") || !strings.Contains(cookie, "Max-Age=31536000") {
		t.Fatalf("unit %q, cookie %q", unit, cookie)
	}
	out = get("/s/spring.png").asPerson().with("Sec-Fetch-Site", "same-site").with("Cookie", "pf_unit="+unit).to(t, s)
	if w.exhibit.visits[1].Unit != unit || out.Header().Get("Set-Cookie") != "" {
		t.Errorf("the second time it was %q, with %q", w.exhibit.visits[1].Unit, out.Header().Get("Set-Cookie"))
	}
	for name, c := range map[string]call{
		"a page of another site":   get("/s/spring.png").asPerson().with("Sec-Fetch-Site", "cross-site"),
		"who does not say":         get("/s/spring.png").asPerson(),
		"a bot":                    get("/s/spring.png").with("User-Agent", "curl/8").with("Sec-Fetch-Site", "same-origin"),
		"a unit that is no cookie": get("/s/spring.png").asPerson().with("Cookie", "pf_unit=customer-17"),
	} {
		w.exhibit.visits = nil
		if out := c.to(t, s); w.exhibit.visits[0].Unit != "" || out.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s got the unit %q and %q", name, w.exhibit.visits[0].Unit, out.Header().Get("Set-Cookie"))
		}
	}
	w2 := newWorld()
	secure := mustServer(t, locked(), w2)
	c := get("/s/spring.png").asPerson().with("Sec-Fetch-Site", "same-origin")
	c.host = "images.example"
	if out := c.to(t, secure); !strings.Contains(out.Header().Get("Set-Cookie"), "; Secure") {
		t.Errorf("behind TLS the cookie is %q", out.Header().Get("Set-Cookie"))
	}
}

func TestUnitThatCannotBeOneIsRefused(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for name, path := range map[string]string{
		"too long": "/s/spring/" + strings.Repeat("a", 201) + ".png", "a control character": "/s/spring/a%0Ab.png", "no text": "/s/spring/%FF.png",
		"a way up": "/s/spring/%2E%2E/click", "a way up, as an image": "/s/spring/%2E.png",
	} {
		if out := get(path).asPerson().to(t, s); out.Code != 422 || len(w.exhibit.visits) > 0 {
			t.Errorf("%s: %d %s, %d visits", name, out.Code, out.Body, len(w.exhibit.visits))
		}
	}
	mustProblem(t, get("/s/spring/a.exe").asPerson().to(t, s), 404, slugImageNotFound)
	mustProblem(t, get("/s/winter/a.png").asPerson().to(t, s), 404, "experiment_not_found")
}

// A click leads where the experiment says, whatever stands in its address.
func TestClickIsNoOpenRedirect(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for _, path := range []string{
		"/s/spring/u1/click?to=https://evil.example", "/s/spring/u1/click?url=//evil.example&destination=https://evil.example",
		"/s/spring/https:%2F%2Fevil.example/click", "/s/spring/click?to=https://evil.example",
	} {
		out := get(path).asPerson().to(t, s)
		if to := out.Header().Get("Location"); out.Code != 302 || to != "https://shop.example/?px_exp=spring" {
			t.Errorf("%s leads to %d %q", path, out.Code, to)
		}
		if out.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %q", path, out.Header().Get("Cache-Control"))
		}
	}
}

func TestPixelIsAGIF(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for _, path := range []string{"/s/spring/pixel.gif", "/s/spring/u1/pixel.gif?sig=x"} {
		out := get(path).asPerson().to(t, s)
		if kind := http.DetectContentType(out.Body.Bytes()); out.Code != 200 || kind != "image/gif" || out.Header().Get("Cache-Control") != shownCaching {
			t.Errorf("%s: %d %s %q", path, out.Code, kind, out.Header().Get("Cache-Control"))
		}
	}
	if w.exhibit.visits[0].Unit != "" || w.exhibit.visits[1].Unit != "u1" || w.exhibit.visits[1].Signature != "x" {
		t.Errorf("visits %+v", w.exhibit.visits)
	}
}

func TestEventsAreAnsweredOneByOne(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	v := mustAnswer[eventsView](t, reported(`{"events":[
		{"experiment":"spring","event":"conversion","unit":"u1","id":"order-1","device":"mobile","referrer":"https://Shop.example/me?mail=ada@example.org","metadata":{"a":{"b":[1]}}},
		{"experiment":"spring","event":"conversion","unit":"u1","id":"again"},
		{"experiment":"spring","event":"conversion","unit":"u1","variantId":"plain"},
		{"experiment":"spring","event":"conversion","unit":"nobody"},
		{"experiment":"winter","event":"conversion","unit":"u1"},
		{"experiment":"spring","event":"refund","unit":"u1"},
		{"experiment":"spring","event":"click"},
		{"experiment":"spring","event":"click","unit":"u1","device":"Mozilla/5.0 (X11; Linux x86_64)"},
		{"experiment":"spring","event":"click","unit":"u1","metadata":{"a":{"b":{"c":{}}}}},
		{"experiment":"spring","event":"click","unit":"u1","at":"2020-01-01T00:00:00Z"},
		{"experiment":"spring","event":"click","unit":"u1","at":"2099-01-01T00:00:00Z"},
		7]}`).to(t, s), 200)
	if v.OK || v.Processed != 3 || v.Duplicates != 1 || len(v.Errors) != 8 || len(v.Warnings) != 2 {
		t.Fatalf("got %+v", v)
	}
	for i, want := range []string{"experiment_not_found", "bad_event", "bad_event", "bad_event", "bad_event", "bad_event", "bad_event", "bad_json"} {
		if e := v.Errors[i]; e.Index != i+4 || e.Code != want {
			t.Errorf("error %d is %+v, want %s of event %d", i, e, want, i+4)
		}
	}
	if v.Warnings[0].Code != "variant_mismatch" || v.Warnings[1].Code != "unassigned" {
		t.Errorf("warnings %+v", v.Warnings)
	}
	first := w.exhibit.calls[0].Events[0]
	if first.Referrer != "shop.example" || first.Device != "mobile" || first.ID != "order-1" || first.Channel != experiment.Web {
		t.Errorf("the first event was taken as %+v", first)
	}
}

// A single event, a list, or events; ids by Idempotency-Key; the unit of the cookie.
func TestEventsComeInThreeForms(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	one := `{"experiment":"spring","event":"view","unit":"u1"}`
	for _, body := range []string{one, "[" + one + "," + one + "]", `{"events":[` + one + `]}`} {
		if v := mustAnswer[eventsView](t, reported(body).with("Idempotency-Key", "k").to(t, s), 200); !v.OK {
			t.Errorf("%s: %+v", body, v)
		}
	}
	if a, b := w.exhibit.calls[0].Events[0].ID, w.exhibit.calls[1].Events[1].ID; a != "k" || b != "k:1" {
		t.Errorf("ids %q and %q, want k and k:1", a, b)
	}
	unit := "web_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	mustAnswer[eventsView](t, reported(`{"experiment":"spring","event":"view"}`).with("Cookie", "pf_unit="+unit).to(t, s), 200)
	if got := w.exhibit.calls[3].Events[0].Unit; got != unit {
		t.Errorf("the unit is %q, want the cookie's", got)
	}
	mustProblem(t, reported(`{"experiment":"spring","event":"refund","unit":"u1"}`).to(t, s), 422, "bad_event")
	mustProblem(t, reported(`{"events":[]}`).to(t, s), 422, "out_of_range")
	mustProblem(t, reported(`no`).to(t, s), 422, "bad_json")
}

func TestEventsWantAKey(t *testing.T) {
	w := newWorld()
	one := `{"experiment":"spring","event":"view","unit":"u1"}`
	many := "[" + strings.TrimSuffix(strings.Repeat(one+",", 101), ",") + "]"
	mustProblem(t, post("/s/events", one).to(t, mustServer(t, open(), w)), 401, slugNoKey) // also where this machine needs none
	s := mustServer(t, locked(), w)
	mustProblem(t, post("/s/events", one).bearer("wrong").to(t, s), 401, slugBadKey)
	mustProblem(t, reported(many).to(t, s), 422, "out_of_range")
	mustAnswer[eventsView](t, post("/s/events", many).bearer(fullKey).to(t, s), 200)
	if c := w.exhibit.calls[0]; !c.Trusted || c.WriteKey != "" {
		t.Errorf("with a key of the API it came as %+v", c)
	}
	mustAnswer[eventsView](t, reported(one).to(t, s), 200)
	if c := w.exhibit.calls[1]; c.Trusted || c.WriteKey != springKey {
		t.Errorf("with a write key it came as %+v", c)
	}
}

func TestEventsOfOneAddressAreLimited(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	s.eventCalls = newBuckets(3)
	one := `{"experiment":"spring","event":"view","unit":"u1"}`
	for range 3 {
		mustAnswer[eventsView](t, reported(one).to(t, s), 200)
	}
	out := reported(one).to(t, s)
	mustProblem(t, out, 429, slugRate)
	if out.Header().Get("Retry-After") == "" {
		t.Error("nothing says when to come again")
	}
}

// Pages of every origin may send events, and read nothing with a session.
func TestEventsComeFromPagesOfEveryOrigin(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(), w)
	ask := call{method: http.MethodOptions, path: "/s/events", header: map[string]string{
		"Origin": "https://shop.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-write-key",
	}}.to(t, s)
	if ask.Header().Get("Access-Control-Allow-Origin") != "*" || ask.Header().Get("Access-Control-Allow-Credentials") != "" ||
		!strings.Contains(ask.Header().Get("Access-Control-Allow-Headers"), "x-write-key") {
		t.Errorf("a browser that asks is told %v", ask.Header())
	}
	out := reported(`{"experiment":"spring","event":"view","unit":"u1"}`).with("Origin", "https://shop.example").with("Sec-Fetch-Site", "cross-site").to(t, s)
	mustAnswer[eventsView](t, out, 200)
	if out.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Error("the page may not read the answer")
	}
	mustProblem(t, post("/experiments/spring/assignments", `{}`).with("Origin", "https://shop.example").with("Sec-Fetch-Site", "cross-site").to(t, s), 403, slugOrigin)
}

func TestUnitsAreAssigned(t *testing.T) {
	w := newWorld()
	w.experiments.add("spring", experiment.Running)
	w.experiments.add("winter", experiment.Draft)
	s := mustServer(t, open(), w)
	v := mustAnswer[assignmentsView](t, post("/experiments/spring/assignments", `{"units":["u1",{"unit":"u2","country":"DE","attributes":{"plan":"pro"}}],"attributes":{"plan":"free","shop":"a"}}`).to(t, s), 200)
	if len(v.Assignments) != 2 || v.Assignments[1].Unit != "u2" || v.Assignments[1].Variant != "bold" || v.Assignments[1].Image == "" {
		t.Errorf("got %+v", v)
	}
	order := w.exhibit.orders[0]
	if order.Channel != experiment.Email || order.Units[0].Facts.Custom["plan"] != "free" || order.Units[1].Facts.Custom["plan"] != "pro" || order.Units[1].Facts.Country != "DE" {
		t.Errorf("the order is %+v", order)
	}
	mustProblem(t, post("/experiments/winter/assignments", `{"units":["u1"]}`).to(t, s), 409, slugNotStarted)
	mustProblem(t, post("/experiments/autumn/assignments", `{"units":["u1"]}`).to(t, s), 404, "experiment_not_found")
	mustProblem(t, post("/experiments/spring/assignments", `{"units":[]}`).to(t, s), 422, "out_of_range")
	mustProblem(t, post("/experiments/spring/assignments", `{"units":["a"],"channel":"sms"}`).to(t, s), 422, "unknown_channel")
	mustProblem(t, post("/experiments/spring/assignments", `{"units":["..",""]}`).to(t, s), 422, slugBadUnit)
	mustProblem(t, post("/experiments/spring/assignments", `{"units":["a"]}`).to(t, mustServer(t, locked(), w)), 401, slugNoKey)
}

func TestFailingVariantWantsAttention(t *testing.T) {
	w := newWorld()
	w.exhibit.failing = []FailingVariant{{Experiment: "exp_1", Slug: "spring", Variant: "bold", Shown: 3, Why: "its bytes are gone"}}
	s := mustServer(t, open(), w)
	v := mustAnswer[overview](t, get("/overview").to(t, s), 200)
	for _, a := range v.Attention {
		if a.Subject == (subjectView{"experiment", "spring"}) && a.Level == "error" && strings.Contains(a.Cause, "3 times") && a.Link == "/experiments/exp_1" {
			return
		}
	}
	t.Errorf("nothing is said of it: %+v", v.Attention)
}
