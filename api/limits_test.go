package api

import (
	"context"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const slowKey = "key-that-may-ask-rarely"

// limited is a server with a full key and one of which k says more.
func limited(k Key, l Limits) Config {
	k.Name, k.Key = "slow", secret(slowKey)
	cfg := locked(Key{Key: secret(fullKey)}, k)
	cfg.Limits = l
	return cfg
}

func number(tb testing.TB, out *httptest.ResponseRecorder, header string) int64 {
	tb.Helper()
	n, err := strconv.ParseInt(out.Header().Get(header), 10, 64)
	if err != nil {
		tb.Fatalf("%s is %q", header, out.Header().Get(header))
	}
	return n
}

func TestRateIsKeptPerKeyAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		hash := w.put("cards", "1", "card", "png", picture)
		s := mustServer(t, limited(Key{Rate: 60}, Limits{}), w)
		ask := func() *httptest.ResponseRecorder { return get("/jobs").bearer(slowKey).to(t, s) }
		for i := range 60 {
			out := ask()
			if left := number(t, out, "X-RateLimit-Remaining"); out.Code != 200 || left != int64(59-i) || number(t, out, "X-RateLimit-Limit") != 60 {
				t.Fatalf("request %d: status %d, %d left", i, out.Code, left)
			}
			if full := number(t, out, "X-RateLimit-Reset"); full != time.Now().Unix()+int64(i)+1 {
				t.Fatalf("request %d: all are back at %d, want in %d s", i, full, i+1)
			}
		}
		out := ask()
		d := mustProblem(t, out, 429, "rate_limited")
		if !d.Retryable || out.Header().Get("Retry-After") != "1" || out.Header().Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("headers %v, %+v", out.Header(), d)
		}
		mustProblem(t, get("/bindings").bearer(slowKey).to(t, s), 429, "rate_limited")
		mustProblem(t, post(batchPath, `{"variables":[{}]}`).bearer(slowKey).to(t, s), 429, "rate_limited")
		if out := get("/images/"+hash+".png").bearer(slowKey).to(t, s); out.Code != 200 || out.Header().Get("X-RateLimit-Limit") != "" {
			t.Errorf("an image: status %d, headers %v", out.Code, out.Header())
		}
		if out := get("/jobs").bearer(fullKey).to(t, s); out.Code != 200 || out.Header().Get("X-RateLimit-Limit") != "" {
			t.Errorf("a key without a limit: status %d, headers %v", out.Code, out.Header())
		}
		<-time.After(time.Second)
		if out := ask(); out.Code != 200 {
			t.Errorf("after Retry-After: status %d", out.Code)
		}
		mustProblem(t, ask(), 429, "rate_limited")
		<-time.After(time.Hour)
		if out := ask(); number(t, out, "X-RateLimit-Remaining") != 59 {
			t.Errorf("after an hour %s are left", out.Header().Get("X-RateLimit-Remaining"))
		}
	})
}

func TestRefusedRequestsCountAsWell(t *testing.T) {
	s := mustServer(t, limited(Key{Rate: 2, Scopes: []Scope{BindingsRead}}, Limits{}), newWorld())
	mustProblem(t, get("/jobs").bearer(slowKey).to(t, s), 403, "scope_missing")
	mustProblem(t, get("/nowhere").bearer(slowKey).to(t, s), 404, "route_not_found") // not metered: nothing is looked up
	mustProblem(t, get("/jobs/x/results.ndjson").bearer(slowKey).to(t, s), 403, "scope_missing")
	mustProblem(t, get("/bindings").bearer(slowKey).to(t, s), 429, "rate_limited")
}

func TestDefaultsAreForKeysWithoutLimitsOfTheirOwn(t *testing.T) {
	w := newWorld()
	s := mustServer(t, limited(Key{Rate: 5, Quota: apikey.Quota{Images: 7, Per: apikey.Day}}, Limits{Rate: 100, Quota: apikey.Quota{Images: 50, Per: apikey.Month}}), w)
	made := mustMake(t, s, `{"name":"made"}`)
	if made.Rate != 100 || made.Quota != "50/month" {
		t.Errorf("made %+v", made)
	}
	if n := number(t, get("/jobs").bearer(slowKey).to(t, s), "X-RateLimit-Limit"); n != 5 {
		t.Errorf("its own rate is %d", n)
	}
	if n := number(t, get("/jobs").bearer(fullKey).to(t, s), "X-RateLimit-Limit"); n != 100 {
		t.Errorf("the default rate is %d", n)
	}
}

func TestQuotaRefusesABatchWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the first of January 2000, midnight
		w := newWorld()
		s := mustServer(t, limited(Key{Quota: apikey.Quota{Images: 10, Per: apikey.Day}}, Limits{}), w)
		send := func(rows int) *httptest.ResponseRecorder {
			return post(batchPath, `{"variables":[`+strings.TrimSuffix(strings.Repeat(`{},`, rows), ",")+`]}`).bearer(slowKey).to(t, s)
		}
		if out := send(7); out.Code != 202 {
			t.Fatalf("status %d: %s", out.Code, out.Body)
		}
		out := send(4)
		if d := mustProblem(t, out, 429, "quota_exceeded"); !d.Retryable || number(t, out, "Retry-After") != 24*60*60 {
			t.Errorf("Retry-After %q, %+v", out.Header().Get("Retry-After"), d)
		}
		out = send(11)
		if d := mustProblem(t, out, 402, "quota_too_small"); d.Retryable || out.Header().Get("Retry-After") != "" {
			t.Errorf("what never fits: headers %v, %+v", out.Header(), d)
		}
		if len(w.jobs) != 1 || len(w.staged) != 0 {
			t.Errorf("%d jobs, staged %v", len(w.jobs), w.staged)
		}
		if out := send(3); out.Code != 202 {
			t.Errorf("what is left: status %d: %s", out.Code, out.Body)
		}
		<-time.After(24 * time.Hour)
		if out := send(10); out.Code != 202 {
			t.Errorf("the next day: status %d: %s", out.Code, out.Body)
		}
		view := mustAnswer[struct{ Keys []keyView }](t, get("/keys").bearer(fullKey).to(t, s), 200).Keys[1]
		if view.Spent != 10 || !view.ResetsAt.Equal(time.Date(2000, 1, 3, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("shown is %+v", view)
		}
	})
}

// A holding intake keeps every batch in the middle until it is let go.
type holding struct {
	*world
	here chan struct{}
	let  chan struct{}
}

func (h *holding) StageRows(ctx context.Context, job string, rows []batch.Row) error {
	h.here <- struct{}{}
	<-h.let
	return h.world.StageRows(ctx, job, rows)
}

func TestBatchesBeyondTheLimitWaitABitAndAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		deps := w.deps()
		hold := &holding{w, make(chan struct{}, 100), make(chan struct{})}
		deps.Intake = hold
		cfg := open()
		cfg.Limits = Limits{Uploads: 2}
		s, err := New(cfg, deps)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		answers := make([]*httptest.ResponseRecorder, 2+2*queueFor+5)
		for i := range answers {
			all.Go(func() { answers[i] = post(batchPath, `{"variables":[{}]}`).to(t, s) })
		}
		synctest.Wait()
		if len(hold.here) != 2 {
			t.Errorf("%d are being taken in", len(hold.here))
		}
		<-time.After(turnLimit + time.Second)
		close(hold.let)
		all.Wait()
		accepted := 0
		for _, out := range answers {
			if out.Code == 202 {
				accepted++
				continue
			}
			if d := mustProblem(t, out, 503, "overloaded"); !d.Retryable || out.Header().Get("Retry-After") != "2" {
				t.Errorf("headers %v", out.Header())
			}
		}
		if accepted != 2 || len(w.jobs) != 2 {
			t.Errorf("accepted %d, jobs %d", accepted, len(w.jobs))
		}
		if out := post(batchPath, `{"variables":[{}]}`).to(t, s); out.Code != 202 {
			t.Errorf("afterwards: status %d", out.Code)
		}
		if strings.Contains(w.logged.String(), "request failed") {
			t.Error("what was refused filled the log")
		}
		if n := s.gate.waiting.Load(); n != 0 {
			t.Errorf("%d wait still", n)
		}
	})
}

func TestBatchThatWaitsGetsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		deps := w.deps()
		hold := &holding{w, make(chan struct{}, 100), make(chan struct{})}
		deps.Intake = hold
		cfg := open()
		cfg.Limits = Limits{Uploads: 1}
		s, err := New(cfg, deps)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if out := post(batchPath, `{"variables":[{}]}`).to(t, s); out.Code != 202 {
					t.Errorf("status %d: %s", out.Code, out.Body)
				}
			})
		}
		for range 4 {
			<-time.After(turnLimit / 5)
			hold.let <- struct{}{}
		}
		all.Wait()
	})
}

func TestStagedBytesAreBounded(t *testing.T) {
	w := newWorld()
	cfg := open()
	cfg.Limits = Limits{Staged: config.Bytes(60_000)}
	s := mustServer(t, cfg, w)
	rows := func(n int) string {
		return `{"variables":[` + strings.TrimSuffix(strings.Repeat(`{"recipient_name":"`+strings.Repeat("x", 500)+`"},`, n), ",") + `]}`
	}
	d := mustProblem(t, post(batchPath, rows(200)).to(t, s), 413, "too_large")
	if !strings.Contains(d.Detail, "60KB") {
		t.Errorf("detail %q", d.Detail)
	}
	s.gate.staged.Add(50_000) // others'
	out := post(batchPath, rows(50)).to(t, s)
	mustProblem(t, out, 503, "overloaded")
	if out.Header().Get("Retry-After") == "" || len(w.staged) != 0 || len(w.jobs) != 0 {
		t.Errorf("headers %v, staged %d, jobs %d", out.Header(), len(w.staged), len(w.jobs))
	}
	s.gate.staged.Add(-50_000)
	if out := post(batchPath, rows(50)).to(t, s); out.Code != 202 || s.gate.staged.Load() != 0 {
		t.Errorf("status %d, %d bytes are still counted", out.Code, s.gate.staged.Load())
	}
}

func TestNoBatchIsTakenWhereTooManyRowsWaitOrNoRoomIs(t *testing.T) {
	w := newWorld()
	cfg := open()
	cfg.Limits = Limits{Backlog: 1000}
	s := mustServer(t, cfg, w)
	send := func() *httptest.ResponseRecorder { return post(batchPath, `{"variables":[{}]}`).to(t, s) }
	w.backlog = 1000
	out := send()
	if mustProblem(t, out, 503, "overloaded"); out.Header().Get("Retry-After") != "30" {
		t.Errorf("headers %v", out.Header())
	}
	w.backlog = 999
	if out := send(); out.Code != 202 {
		t.Errorf("status %d", out.Code)
	}
	if out := get("/jobs").to(t, s); out.Code != 200 {
		t.Errorf("reading: status %d", out.Code)
	}
}

func TestLimitsOfTheConfiguration(t *testing.T) {
	const text = `
keys:
  - { name: shop, key: "key-of-the-online-shop", origins: ["https://shop.example"], rate: 60, quota: 1000/day }
origins: ["*"]
limits: { rate: 600, quota: 50000, uploads: 4, staged: 200MB, backlog: 0, bad_keys: 9, subscriptions: 20, key_subscriptions: 5 }
`
	root, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	if err := root.Decode(&cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Limits != (Limits{600, apikey.Quota{Images: 50_000, Per: apikey.Month}, 4, 200e6, 0, 9, 20, 5}) || cfg.Keys[0].Quota.String() != "1000/day" || cfg.Keys[0].Rate != 60 {
		t.Errorf("read %+v", cfg)
	}
	for text, want := range map[string]string{
		"limits: { rate: -1 }":                                  "limits.rate",
		"limits: { uploads: -1 }":                               "limits.uploads",
		"limits: { backlog: -1 }":                               "limits.backlog",
		"limits: { bad_keys: -1 }":                              "limits.bad_keys",
		"limits: { subscriptions: -1 }":                         "limits.subscriptions",
		"limits: { key_subscriptions: -1 }":                     "limits.key_subscriptions",
		"limits: { quota: 5/year }":                             "limits.quota",
		"limits: { quota: 0 }":                                  "limits.quota",
		"origins: [https://a.b]":                                "origins",
		`keys: [ { key: "key-of-the-online-shop", rate: -5 } ]`: "keys[0].rate",
		`keys: [ { key: "key-of-the-online-shop", origins: ["https://a.b/c"] } ]`: "keys[0].origins[0]",
		`{ keys: [ "key-of-the-online-shop" ], origins: ["https://a.b", "a.b"] }`: "origins[1]",
	} {
		root, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cfg := DefaultConfig()
		list := problem.All(root.Decode(&cfg))
		if len(list) != 1 || list[0].Path != want {
			t.Errorf("%s: %v, want a problem at %s", text, list, want)
		}
	}
}
