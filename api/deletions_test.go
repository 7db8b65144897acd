package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

func (w *world) deleted(what string) (Deletion, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.erased = append(w.erased, what)
	if w.broken != nil {
		return Deletion{}, w.broken
	}
	if w.erasure.empty() {
		return Deletion{Rows: 1, Images: 1, Jobs: []string{"batch_1"}}, nil
	}
	return w.erasure, nil
}

func (w *world) DeleteJob(_ context.Context, id string) (Deletion, error) {
	return w.deleted("job " + id)
}

func (w *world) DeleteJobRow(_ context.Context, job, key string) (Deletion, error) {
	return w.deleted("row " + key + " of " + job)
}

func (w *world) DeleteRow(_ context.Context, source, key string, forget bool) (Deletion, error) {
	if key == "none" {
		return Deletion{}, nil
	}
	return w.deleted(fmt.Sprint(source, "/", key, " ", forget))
}

func (w *world) RecallRow(_ context.Context, source, key string) (bool, error) {
	_, err := w.deleted("recall " + source + "/" + key)
	return key != "none", err
}

func (w *world) DeleteKey(_ context.Context, k DeletedKey) (Deletion, error) {
	if k.Text == "none" {
		return Deletion{}, nil
	}
	return w.deleted(fmt.Sprint(k.Sources, " ", k.Canonical, " ", k.Text, " ", k.Forget))
}

func del(path string) call { return call{method: http.MethodDelete, path: path} }

func TestDeletionNamesWhatIsDeleted(t *testing.T) {
	for _, c := range []struct {
		call   call
		erased string
	}{
		{del("/jobs/batch_1"), "job batch_1"},
		{del("/templates/batch/batch_1"), "job batch_1"},
		{del("/jobs/batch_1/rows/a%2Fb"), "row a/b of batch_1"},
		{del("/bindings/cards/rows/SKU-1"), "shop/SKU-1 false"},
		{del("/bindings/cards/rows/ada@example.com?forget=permanent"), "shop/ada%40example%2Ecom true"},
		{del("/bindings/cards/rows/a%2Cb,c"), "shop/a%2Cb,c false"},
		{post("/bindings/cards/rows/a%2Fb/recall", ""), "recall shop/a%2Fb"},
		{post("/deletions", `{"key":"ada@example.com","forget":true}`), "[shop crm] ada%40example%2Ecom ada@example.com true"},
		{post("/deletions", `{"key":["a","b,c"]}`), "[shop crm] a,b%2Cc a,b,c false"},
	} {
		w := newWorld()
		w.acceptedJob("batch_1", 3)
		if out := c.call.to(t, mustServer(t, open(), w)); out.Code != http.StatusOK {
			t.Errorf("%s %s: %d %s", c.call.method, c.call.path, out.Code, out.Body)
		}
		if diff := cmp.Diff([]string{c.erased}, w.erased); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.call.method, c.call.path, diff)
		}
	}
}

func TestDeletionThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []struct {
		call   call
		status int
		slug   string
	}{
		{del("/jobs/none"), 404, "job_not_found"},
		{del("/jobs/none/rows/a"), 404, "job_not_found"},
		{del("/bindings/nothing/rows/a"), 404, "binding_not_found"},
		{del("/bindings/cards/rows/none"), 404, "row_not_found"},
		{del("/bindings/cards/rows/a?forget=yes"), 422, "out_of_range"},
		{del("/bindings/cards/rows/%FF"), 422, "bad_key"},
		{post("/bindings/cards/rows/none/recall", ""), 404, "row_not_found"},
		{post("/deletions", `{"key":"none"}`), 404, "row_not_found"},
		{post("/deletions", `{"key":`), 400, "malformed_body"},
		{post("/deletions", `{"kee":"a"}`), 400, "malformed_body"},
		{post("/deletions", `{"key":""}`), 422, "bad_key"},
		{post("/deletions", `{"key":[]}`), 422, "bad_key"},
		{post("/deletions", `{}`), 422, "bad_key"},
		{post("/deletions", `{"key":{"a":1}}`), 422, "bad_key"},
		{post("/deletions", `{"key":"`+strings.Repeat("a", 2*maxDeletion)+`"}`), 413, "too_large"},
	} {
		w := newWorld()
		w.acceptedJob("batch_1", 3)
		mustProblem(t, c.call.to(t, mustServer(t, open(), w)), c.status, c.slug)
		if slices.ContainsFunc(w.erased, func(what string) bool { return !strings.HasPrefix(what, "recall") }) {
			t.Errorf("%s %s deleted %q", c.call.method, c.call.path, w.erased)
		}
	}
}

func TestDeletionSaysWhatItCannotDo(t *testing.T) {
	w := newWorld()
	w.erasure = Deletion{Rows: 1, Images: 1, Sinks: []string{"shop_hook"}, Running: []string{"batch_9"}}
	done := mustAnswer[Deletion](t, post("/deletions", `{"key":"a"}`).to(t, mustServer(t, open(), w)), 200)
	for _, want := range []string{"brings it back when it is read (shop, crm)", "shop_hook were told", "have not ended", "CDNs"} {
		if !strings.Contains(strings.Join(done.Notes, "\n"), want) {
			t.Errorf("notes are %q, want one with %q", done.Notes, want)
		}
	}
}

func TestGoneJobSaysWhy(t *testing.T) {
	for _, slug := range []string{"job_expired", "job_deleted"} {
		w := newWorld()
		w.acceptedJob("a", 1)
		w.broken = problem.New(problem.NotFound, "the job is gone").WithSlug(slug)
		for _, path := range []string{"/jobs/a", "/jobs/a/results.ndjson", "/jobs/a/events"} {
			mustProblem(t, get(path).to(t, mustServer(t, open(), w)), 410, slug)
		}
	}
}

func TestDeletingAKeyWantsAKeyForAll(t *testing.T) {
	w := newWorld()
	limited := Key{Name: "half", Key: config.NewSecret("key-for-half-of-it"), Scopes: []Scope{BindingsWrite}}
	of := Key{Name: "one", Key: config.NewSecret("key-for-one-template"), Scopes: []Scope{BindingsWrite, RendersWrite}, Templates: []string{testTemplate}}
	all := Key{Name: "all", Key: config.NewSecret("key-for-everything-of-it"), Scopes: []Scope{BindingsWrite, RendersWrite}}
	s := mustServer(t, locked(limited, of, all), w)
	call := post("/deletions", `{"key":"a"}`)
	mustProblem(t, call.bearer("key-for-half-of-it").to(t, s), 403, "scope_missing")
	mustProblem(t, call.bearer("key-for-one-template").to(t, s), 403, "scope_missing")
	if out := call.bearer("key-for-everything-of-it").to(t, s); out.Code != 200 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	mustProblem(t, post("/sweep", "").bearer("key-for-everything-of-it").to(t, s), 403, "scope_missing")
}

func TestLowDiskStopsIntakeAndNothingElse(t *testing.T) {
	w := newWorld()
	w.acceptedJob("batch_1", 1)
	s := mustServer(t, open(), w)
	w.lowDisk = retry.After(problem.New(problem.Surroundings, "only 3 MB are free").WithSlug("disk_low"), 30*time.Second)
	for _, c := range []call{
		post("/templates/tpl_certificate/batch-render", `{"variables":[{}]}`),
		post("/template/tpl_certificate/batch", `{"variables":[{}]}`),
		post("/templates", `{"name":"badge","html":"<p>"}`),
		{method: http.MethodPut, path: "/templates/badge", body: "<p>"},
	} {
		out := c.to(t, s)
		mustProblem(t, out, 507, "disk_low")
		if got := out.Header().Get("Retry-After"); got != "30" {
			t.Errorf("%s: Retry-After %q", c.path, got)
		}
	}
	for _, c := range []call{get("/jobs/batch_1"), get("/templates"), del("/jobs/batch_1"), post("/bindings/cards/refresh", ""), post("/sweep", "")} {
		if out := c.to(t, s); out.Code >= 300 {
			t.Errorf("%s %s: %d %s", c.method, c.path, out.Code, out.Body)
		}
	}
	w.lowDisk = nil
	if out := post("/template/tpl_certificate/batch", `{"variables":[{}]}`).to(t, s); out.Code != 202 {
		t.Errorf("with room again: %d %s", out.Code, out.Body)
	}
}
