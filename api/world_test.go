package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/spool"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/drafttest"
)

// A world is every room behind the API, in memory.
type world struct {
	diary diary

	mu sync.Mutex

	staged    map[string][]batch.Row
	jobs      []batch.Job // in the order of their acceptance
	rows      map[string][]batch.Row
	results   map[string][]batch.Result
	discarded int

	form        bindings.Template // instead of one that resolves nothing
	rendered    map[string]bool   // fingerprints
	unreachable map[string]bool

	configured       []Binding
	shelf            *shelf
	outbox           *outbox
	porch            porch
	exhibit          foyer
	subscriptionDesk subscriptionDesk
	experiments      experimentDesk
	cockpit          cockpit
	tryout           tryout
	statuses         map[string]bindings.Status
	stored           map[string][]bindings.StoredRow
	fittings         []bindings.OutputFitting
	asked            []string // runs: binding cause at
	runs             map[string]RunState
	accepted         []string // guards
	remade           []string // hashes

	images    map[string]bindings.Image // by binding/key/output
	filtered  []bindings.ImageFilter    // how the gallery was asked
	templates map[string]template.Version
	ledger    *drafttest.Ledger // of the versions before, and the drafts

	shownFiles shownFiles
	blobs      map[string][]byte
	bells      map[chan struct{}]bool
	keyLedger

	published []draft.Publication
	pushed    []draft.Push
	inTheWay  error // of what is published
	unwritten error // why the folder cannot be written
	forecast  draft.Forecast

	erased        []string // what was deleted
	erasure       Deletion // what deletions answer
	sweeps        int
	lowDisk       error
	templateInUse error // what deleting one says

	load      Load
	machine   System
	past      []bindings.PastReading
	changes   bindings.RowChanges
	refuseURL error
	notReady  error
	broken    error // what the store says to everything about jobs
	logged    bytes.Buffer
}

const (
	testTemplate = "tpl_certificate"
	certificate  = `<p id="name">{{ recipient_name }}</p><p id="note">new</p>` + "\n"
)

func newWorld() *world {
	w := &world{
		staged: map[string][]batch.Row{}, rows: map[string][]batch.Row{}, results: map[string][]batch.Result{},
		statuses: map[string]bindings.Status{}, stored: map[string][]bindings.StoredRow{}, images: map[string]bindings.Image{},
		templates: map[string]template.Version{}, blobs: map[string][]byte{}, bells: map[chan struct{}]bool{},
	}
	w.templates[testTemplate] = template.Version{
		Name: testTemplate, Number: 3, Digest: "d3", Source: []byte(certificate), Author: "file",
		CreatedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("CET", 3600)),
	}
	w.ledger = &drafttest.Ledger{}
	for number := range int64(2) {
		w.ledger.Add(template.Version{Name: testTemplate, Digest: fmt.Sprint("d", number+1), Source: fmt.Appendf(nil, "<p id=\"name\">version %d</p>\n", number+1), Author: "Ada"})
	}
	w.ledger.Add(w.templates[testTemplate])
	w.shelf, w.outbox = newShelf(), newOutbox()
	w.tryout = tryout{sketches: &sketches{drawn: map[string]int{}}}
	w.configured = []Binding{
		{Name: "cards", Source: "shop", Template: testTemplate, Public: true, Outputs: []Output{{"card", "png"}, {"story", "jpg"}}},
		{Name: "private", Source: "crm", Template: testTemplate, Outputs: []Output{{"png", "png"}}},
	}
	w.statuses["cards"] = bindings.Status{
		Binding: "cards", Source: "shop", Template: testTemplate, Live: 3, Ready: 2, Failed: 1,
		ReadAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Complete: true,
	}
	return w
}

func (w *world) PastReadings(_ context.Context, _ string, limit int) ([]bindings.PastReading, error) {
	return w.past[:min(limit, len(w.past))], w.broken
}

func (w *world) RowChanges(context.Context, string, int) (bindings.RowChanges, error) {
	return w.changes, w.broken
}

// change does something to the world and wakes those who watch it.
func (w *world) change(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
	for bell := range w.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}

func (w *world) Changes() (<-chan struct{}, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	bell := make(chan struct{}, 1)
	w.bells[bell] = true
	return bell, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.bells, bell)
	}
}

func (w *world) FindJob(_ context.Context, key string) (batch.Job, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.jobs, func(j batch.Job) bool { return j.IdempotencyKey == key })
	if i < 0 {
		return batch.Job{}, false, w.broken
	}
	return w.jobs[i], true, w.broken
}

func (w *world) StageRows(ctx context.Context, job string, rows []batch.Row) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.staged[job] = append(w.staged[job], rows...)
	return cmp.Or(w.broken, ctx.Err())
}

func (w *world) AcceptJob(ctx context.Context, j batch.Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := w.Spend(ctx, j.Charge)
	w.change(func() {
		if err != nil {
			return
		}
		for _, other := range w.jobs {
			if j.IdempotencyKey != "" && other.IdempotencyKey == j.IdempotencyKey {
				err = problem.New(problem.Conflict, "the idempotency key is taken")
				return
			}
		}
		w.jobs = append(w.jobs, j)
		w.rows[j.ID] = w.staged[j.ID]
		delete(w.staged, j.ID)
	})
	return err
}

func (w *world) Unrendered(_ context.Context, fingerprints []string) ([]string, error) {
	return slices.DeleteFunc(slices.Clone(fingerprints), func(f string) bool { return w.rendered[f] }), nil
}

func (w *world) DiscardRows(_ context.Context, job string) error {
	w.change(func() {
		delete(w.staged, job)
		w.discarded++
	})
	return nil
}

func (w *world) Job(_ context.Context, id string) (batch.Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		if j.ID == id {
			return j, w.broken
		}
	}
	return batch.Job{}, problem.New(problem.NotFound, "there is no job %q", id).WithSlug("job_not_found")
}

func (w *world) Jobs(_ context.Context, limit int) ([]batch.Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	newest := slices.Clone(w.jobs)
	slices.Reverse(newest)
	return newest[:min(limit, len(newest))], w.broken
}

func (w *world) Results(_ context.Context, job string, after int64, limit int, status string) ([]batch.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var page []batch.Result
	for _, r := range w.results[job] {
		fits := status == "" || r.Done && (r.Error != nil) == (status == "failed")
		if r.Index > after && fits && len(page) < limit {
			page = append(page, r)
		}
	}
	return page, nil
}

func (w *world) Sent(_ context.Context, job string, after int64, limit int) ([]batch.Row, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var page []batch.Row
	for _, r := range slices.Concat(w.rows[job], w.staged[job]) {
		if r.Index > after && len(page) < limit {
			page = append(page, r)
		}
	}
	return page, w.broken
}

func (w *world) Bindings(_ context.Context, names []string) ([]bindings.Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []bindings.Status
	for _, name := range names {
		if st, ok := w.statuses[name]; ok {
			all = append(all, st)
		}
	}
	return all, nil
}

func (w *world) Rows(_ context.Context, source, after string, limit int) ([]bindings.StoredRow, error) {
	var page []bindings.StoredRow
	for _, r := range w.stored[source] {
		if r.Key > after && len(page) < limit {
			page = append(page, r)
		}
	}
	return page, nil
}

func (w *world) FailedRows(context.Context, string, int) ([]bindings.FailedRow, error) {
	return []bindings.FailedRow{{Key: "k%2F2", Problem: bindings.Problem{Code: "wrong_type", Field: "variables.price", Message: "not a number"}}}, nil
}

func (w *world) Fittings(_ context.Context, _ string, keys []string) (all []bindings.OutputFitting, err error) {
	for _, f := range w.fittings {
		if slices.Contains(keys, f.Key) {
			all = append(all, f)
		}
	}
	return all, nil
}

func (w *world) Quarantine(context.Context, string, int) ([]bindings.Quarantined, error) {
	return []bindings.Quarantined{{Position: "line 7", Reason: bindings.NullKey, Detail: "the column of the key is empty"}}, nil
}

func (w *world) AskRun(_ context.Context, binding string, cause batch.Cause, at string) (batch.Job, error) {
	if at == "tomorrow" {
		return batch.Job{}, problem.New(problem.Invalid, "%q is to come", at).At("at").WithSlug("out_of_range")
	}
	w.change(func() { w.asked = append(w.asked, binding+" "+string(cause)+" "+at) })
	return batch.Job{ID: "run_1", Status: batch.Pending, Origin: &batch.Run{Binding: binding, Cause: cause, For: time.Date(2026, 10, 1, 4, 0, 0, 0, time.UTC)}}, nil
}

func (w *world) RunsOf(context.Context, []string) (map[string]RunState, error) { return w.runs, nil }

func (w *world) AcceptGuard(_ context.Context, binding string) (int, error) {
	w.change(func() { w.accepted = append(w.accepted, binding) })
	return 7, nil
}

func (w *world) Image(_ context.Context, o bindings.Owner, key, output, ext string) (bindings.Image, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range []string{output, "card", "story", "png", "pdf", "gif"} {
		if i, ok := w.images[o.Binding()+"/"+key+"/"+name]; ok && (i.Ext == ext || i.Ext == "") {
			return i, nil
		}
		if output != "" {
			break
		}
	}
	return bindings.Image{}, problem.New(problem.NotFound, "there is no image of %q", key).WithSlug("image_not_found")
}

func (w *world) Images(_ context.Context, limit int) ([]bindings.Image, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []bindings.Image
	for _, i := range w.images {
		if i.Hash != "" {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b bindings.Image) int {
		return cmp.Or(b.RenderedAt.Compare(a.RenderedAt), cmp.Compare(a.Key, b.Key))
	})
	return all[:min(limit, len(all))], nil
}

// put keeps bytes as the image of a row.
func (w *world) put(binding, key, output, ext string, data []byte) string {
	hash := hashOf(data)
	w.change(func() {
		w.blobs[hash] = data
		w.images[binding+"/"+key+"/"+output] = bindings.Image{
			Owner: bindings.BindingOwner(binding), Key: key, Output: output, Generation: 1, Hash: hash, Ext: ext, Format: ext,
			Width: 1200, Height: 630, RenderedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		}
	})
	return hash
}

func hashOf(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

func (w *world) Template(_ context.Context, name string, number int64) (template.Version, error) {
	v, ok := w.templates[name]
	if ok && number != 0 && number != v.Number {
		return w.ledger.Template(context.Background(), name, number)
	}
	if !ok {
		return v, problem.New(problem.NotFound, "there is no template %q", name).WithSlug("template_not_found")
	}
	return v, nil
}

func (w *world) Templates(context.Context) ([]template.Version, error) {
	var all []template.Version
	for _, name := range slices.Sorted(maps.Keys(w.templates)) {
		all = append(all, w.templates[name])
	}
	return all, nil
}

func (w *world) TemplateVersions(_ context.Context, name string, before int64, limit int) ([]template.Version, error) {
	all := slices.DeleteFunc(w.ledger.Versions(name), func(v template.Version) bool { return before > 0 && v.Number >= before })
	for i := range all {
		all[i].Source = nil
	}
	return all[:min(limit, len(all))], nil
}

func (w *world) PublishDraft(ctx context.Context, p draft.Publication) (draft.Published, error) {
	d, err := w.ledger.Draft(ctx, p.Name)
	if err != nil || w.inTheWay != nil {
		return draft.Published{}, cmp.Or(w.inTheWay, err)
	}
	if d.Revision != p.Revision {
		return draft.Published{}, problem.New(problem.Conflict, "the draft has revision %d", d.Revision).WithSlug(draft.StaleRevision)
	}
	w.published = append(w.published, p)
	v := w.ledger.Add(template.Version{Name: p.Name, Digest: "d4", Source: d.Source, Author: p.Author})
	w.ledger.Close(p.Name, draft.Publishes)
	return draft.Published{Version: v, Changed: true, File: w.unwritten}, nil
}

func (w *world) PublishPush(_ context.Context, p draft.Push) (draft.Published, error) {
	if w.inTheWay != nil {
		return draft.Published{}, w.inTheWay
	}
	w.pushed = append(w.pushed, p)
	return draft.Published{Version: template.Version{Name: p.Name, Number: p.IfNumber + 1, Author: p.Author}, Changed: true}, nil
}

func (w *world) Forecast(context.Context, string) (draft.Forecast, error) { return w.forecast, nil }

func (w *world) Remake(_ context.Context, hash string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.images {
		if i.Hash == hash {
			w.remade = append(w.remade, hash)
			return true, nil
		}
	}
	return false, nil
}

func (w *world) Open(_ context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	data, ok := w.blobs[hash]
	if !ok {
		return nil, 0, problem.New(problem.NotFound, "no bytes are kept under %q", hash)
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(data), io.NopCloser(nil)}, int64(len(data)), nil
}

// A form is a compiled template.
type form struct{ name string }

func (f form) Name() string   { return f.name }
func (f form) Digest() string { return "d3" }
func (f form) Vars() []template.Var {
	return []template.Var{{Name: "recipient_name", Type: "text", Required: true}}
}
func (f form) Sizes() []template.Size {
	return []template.Size{{Name: "default", Width: 1200, Height: 630}, {Name: "story", Width: 1080, Height: 1920}}
}
func (f form) Themes() []string                           { return nil }
func (f form) ReadsClock() bool                           { return false }
func (f form) Page(template.View) (*template.Page, error) { return new(template.Page), nil }
func (f form) ResolveIn(map[string]any, expr.Env) (template.Values, error) {
	return template.Values{""}, nil
}

const (
	fullKey = "key-that-opens-everything"
	urlKey  = "secret-that-signs-addresses"
)

// deps is the world as the API sees it.
func (w *world) deps() Deps {
	return Deps{
		Log: slog.New(slog.NewTextHandler(&lockedWriter{world: w}, nil)), Version: "1.2.3",
		Intake: w, Origins: w, Sampler: w, Trials: w.tryout, Client: http.DefaultClient, Jobs: w, Steering: w,
		Bindings: w, Runs: w, Resources: w.shelf, Workshop: w.shelf, Refresher: w.shelf, Guards: w.shelf, Streams: w.shelf, Hooks: &w.porch, Subscriptions: &w.subscriptionDesk, ExperimentDesk: &w.experiments, Copilot: &w.cockpit, CopilotRuns: &w.cockpit, Images: w, Gallery: w, Exhibit: &w.exhibit, Easel: canvases{w}, Blobs: w, Changes: w,
		Templates: w, Drafts: w.ledger, Publisher: w, Keys: w, StoredKeys: w.storedKeys(), Audit: &w.diary,
		Deliveries: w.outbox, Valve: w.outbox,
		Deletions: w, SweepFunc: func() { w.change(func() { w.sweeps++ }) },
		DeleteTemplateFunc: func(_ context.Context, name string) error { return w.deleteTemplate(name) },
		RoomFunc:           func(context.Context) error { return w.lowDisk },
		Desk: &draft.Desk{Ledger: w.ledger, ApplyFunc: drafttest.Apply, ConflictsFunc: drafttest.Conflicts, CheckFunc: func(_ string, src []byte, _ map[string]string) error {
			if bytes.Contains(src, []byte("{{ (")) {
				return problem.List{problem.New(problem.Invalid, "a parenthesis is not closed").WithSlug("bad_expression").In(problem.Position{Line: 1, Column: 14})}
			}
			return nil
		}, HasFileFunc: func(ctx context.Context, digest string) error {
			_, _, err := w.shownFiles.Open(ctx, digest)
			return err
		}, DiffFunc: func(_, after []byte) ([]json.RawMessage, error) {
			text, _, _ := strings.Cut(string(after[strings.Index(string(after), `id="name">`)+10:]), "<")
			return []json.RawMessage{drafttest.SetText("name", text)}, nil
		}},
		Assets: &w.shownFiles,
		Spool:  spool.New(os.TempDir(), spool.Options{}),
		MergePDFFunc: func(out io.Writer, parts iter.Seq2[PDFPart, error]) error {
			for part, err := range parts {
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "%s: %s\n", part.Mark, part.Data)
			}
			return nil
		},
		ConfiguredFunc: func() []Binding {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.configured)
		},
		BindingFunc: func(name string) (Binding, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, b := range w.configured {
				if b.Name == name {
					return b, true
				}
			}
			return Binding{}, false
		},
		CompileFunc: func(_ context.Context, name string, _ int64) (bindings.Template, error) {
			if w.form != nil {
				return w.form, nil
			}
			return form{name}, nil
		},
		CheckURLFunc: func(context.Context, string) error {
			return w.refuseURL
		},
		ReadyFunc:  func(context.Context) error { return w.notReady },
		SystemFunc: func(context.Context) (System, error) { return w.machine, w.broken },
		LoadFunc:   func(context.Context) (Load, error) { return w.load, w.broken },
		Registry:   prometheus.NewRegistry(),
		CountersFunc: func(context.Context) (Counters, error) {
			return Counters{Rows: 12, Missing: 1, RendersWaiting: 3, DeliveriesDead: 2, JobsOpen: 1}, nil
		},
		URLSecrets: []string{"an-older-secret", urlKey},
	}
}

type lockedWriter struct{ world *world }

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	return l.world.logged.Write(p)
}

// open is a server without keys on this machine.
func open() Config { return DefaultConfig() }

// locked is a server with keys on every address.
func locked(keys ...Key) Config {
	if len(keys) == 0 {
		keys = []Key{{Key: config.NewSecret(fullKey)}}
	}
	return Config{Listen: "0.0.0.0:8080", PublicURL: "https://images.example", Keys: keys}
}

func mustServer(tb testing.TB, cfg Config, w *world) *Server {
	tb.Helper()
	s, err := New(cfg, w.deps())
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// A call is one request to be made.
type call struct {
	method, path string
	body         string
	header       map[string]string
	host         string
}

func (c call) with(name, value string) call {
	c.header = maps.Clone(c.header)
	if c.header == nil {
		c.header = map[string]string{}
	}
	c.header[name] = value
	return c
}

func get(path string) call { return call{method: http.MethodGet, path: path} }

func post(path, body string) call {
	return call{method: http.MethodPost, path: path, body: body, header: map[string]string{"Content-Type": "application/json"}}
}

// bearer is c with a key.
func (c call) bearer(key string) call { return c.with("Authorization", "Bearer "+key) }

// to makes the request and returns the answer.
func (c call) to(tb testing.TB, s *Server) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), c.method, c.path, strings.NewReader(c.body))
	r.Host = cmp.Or(c.host, "127.0.0.1:8080")
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	s.ServeHTTP(out, r)
	checkAnswer(tb, s, c, out)
	return out
}

// mustAnswer checks the status and decodes the JSON of an answer.
func mustAnswer[T any](tb testing.TB, out *httptest.ResponseRecorder, status int) T {
	tb.Helper()
	if out.Code != status {
		tb.Fatalf("status %d, want %d: %s", out.Code, status, out.Body)
	}
	var value T
	if err := json.Unmarshal(out.Body.Bytes(), &value); err != nil {
		tb.Fatalf("decode %s: %v", out.Body, err)
	}
	return value
}

// mustProblem checks that an answer is the problem of that slug.
func mustProblem(tb testing.TB, out *httptest.ResponseRecorder, status int, slug string) document {
	tb.Helper()
	d := mustAnswer[document](tb, out, status)
	if got := out.Header().Get("Content-Type"); got != "application/problem+json" {
		tb.Errorf("Content-Type %q, want application/problem+json", got)
	}
	if d.Code != slug || d.Type != "/errors/"+slug || d.Status != status || d.Title == "" || d.Detail == "" {
		tb.Errorf("got %+v, want a whole problem %s with status %d", d, slug, status)
	}
	if id := out.Header().Get("X-Request-Id"); id == "" || d.RequestID != id {
		tb.Errorf("requestId %q, header %q: want the same", d.RequestID, id)
	}
	return d
}

// acceptedJob puts a job with n ended rows, of which those in failed have errors.
func (w *world) acceptedJob(id string, n int, failed ...int64) {
	job := batch.Job{
		ID: id, Template: testTemplate, Version: 3, Status: batch.Partial, Total: int64(n), Planned: int64(n),
		Failed: int64(len(failed)), Succeeded: int64(n - len(failed)), CreatedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	job.StartedAt, job.CompletedAt = job.CreatedAt.Add(time.Second), job.CreatedAt.Add(11*time.Second)
	var results []batch.Result
	for i := range int64(n) {
		r := batch.Result{Index: i, Key: fmt.Sprint("C-", i), Done: true}
		if slices.Contains(failed, i) {
			r.Error = &batch.RowError{Code: "missing_variable", Field: "variables.photo", Message: "the photo is missing"}
		} else {
			r.Pictures = []batch.Picture{{Output: "png", Hash: hashOf([]byte{byte(i)}), Ext: "png", Format: "png", Width: 1200, Height: 630}}
		}
		results = append(results, r)
	}
	w.change(func() {
		w.jobs = append(w.jobs, job)
		w.results[id] = results
	})
}

func mustDecode[T any](tb testing.TB, r io.Reader) T {
	tb.Helper()
	var value T
	if err := json.NewDecoder(r).Decode(&value); err != nil {
		tb.Fatal(err)
	}
	return value
}
