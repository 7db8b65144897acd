package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

const (
	crmSecret = "whsec_Y3JtLXNlY3JldC1vZi10aGUtdGVzdHM="
	crmSite   = `
sources:
  crm: { kind: webhook, path: crm, secret: "` + crmSecret + `", rows: "$.records", key: id, deleted: 'op == "d"' }
  dated: { kind: webhook, path: dated, secret: "` + crmSecret + `", key: id, version: updated, deleted: gone }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings:
  - { name: cards, source: crm, template: card, map: { title: name }, sinks: [hook], public: true, on_delete: remove }
  - { name: dated, source: dated, template: card, map: { title: name }, public: true, on_delete: remove }
`
)

// A heard is the answer to a call.
type heard struct {
	Status           any // accepted, duplicate; of a problem the number
	Rows             int
	QuarantinedCount int
	Quarantined      []struct{ Position, Key, Reason string }
	Refresh          string
	Code             string // of a problem
}

// senders call from many places at a time, on connections that they keep.
var senders = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// tell sends a body to a source that is called by Standard Webhooks; a second id
// is that of the signature alone.
func (p *process) tell(path, id, body string) (status int, answer heard, err error) {
	h := http.Header{"Content-Type": {"application/json"}}
	if err := (signing.Message{ID: id, Sent: time.Now(), Body: []byte(body)}).Sign(h, crmSecret); err != nil {
		return 0, heard{}, err
	}
	req, err := http.NewRequest(http.MethodPost, p.url+"/hooks/"+path, strings.NewReader(body))
	if err != nil {
		return 0, heard{}, err
	}
	req.Header = h
	res, err := senders.Do(req)
	if err != nil {
		return 0, heard{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	return res.StatusCode, answer, err
}

// mustTell wants a call to be taken with this status of its own.
func (p *process) mustTell(path, id, body, status string) heard {
	p.tb.Helper()
	code, got, err := p.tell(path, id, body)
	if err != nil || code != http.StatusOK || got.Status != status {
		p.tb.Fatalf("%s to %s: %d %+v, %v; want %s", id, path, code, got, err, status)
	}
	return got
}

func records(rows ...string) string { return `{"records":[` + strings.Join(rows, ",") + `]}` }

func record(id, name string) string { return fmt.Sprintf(`{"id":%q,"name":%q,"price":1}`, id, name) }

// nameOf is the stored name of a row, or "" where there is none.
func (p *process) nameOf(binding, key string) string {
	p.tb.Helper()
	var page struct {
		Rows []struct {
			Key    string
			Values map[string]any
		}
	}
	p.get("/bindings/"+binding+"/rows", &page)
	for _, r := range page.Rows {
		if r.Key == key {
			name, _ := r.Values["name"].(string)
			return name
		}
	}
	return ""
}

// crm runs a daemon with sources that are called.
func crm(t *testing.T, yaml string) (*process, *Daemon) {
	t.Helper()
	url, d := newSite(t, yaml).run(Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	return &process{tb: t, url: url}, d
}

func TestSentRowsBecomePicturesAndARepeatedMessageDoesNothing(t *testing.T) {
	s := newSite(t, crmSite)
	url, _ := s.run(Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	if got := p.mustTell("crm", "msg_1", records(record("a", "Ada"), record("ä/ö", "Åsa")), "accepted"); got.Rows != 2 || got.QuarantinedCount != 0 {
		t.Errorf("answer is %+v", got)
	}
	eventually(t, "two cards", func() bool { return p.ready("cards") == 2 && len(s.receiver.all("render.completed")) == 2 })
	if code := p.get("/b/cards/%C3%A4%2F%C3%B6.png", nil); code != http.StatusOK {
		t.Errorf("the card of ä/ö: %d", code)
	}
	p.mustTell("crm", "msg_2", records(record("a", "Bob")), "accepted")
	p.mustTell("crm", "msg_1", records(record("a", "Ada"), record("ä/ö", "Åsa")), "duplicate")
	eventually(t, "Bob's card", func() bool { return len(s.receiver.all("render.completed")) == 3 })
	if name := p.nameOf("cards", "a"); name != "Bob" {
		t.Errorf("a is %q after an old message came again, want Bob", name)
	}
	p.mustTell("crm", "msg_3", records(`{"id":"a","op":"d"}`, `{"id":"nobody","op":"d"}`), "accepted")
	eventually(t, "a's card is removed", func() bool { return len(s.receiver.all("image.removed")) == 1 })
	if code := p.get("/b/cards/a.png", nil); code != http.StatusGone {
		t.Errorf("the card of a deleted row: %d", code)
	}
}

func TestCallThatIsNotFromItsSenderIsTold401AndNothingElse(t *testing.T) {
	p, d := crm(t, crmSite)
	code, text := p.ask(http.MethodPost, "/hooks/crm", records(record("a", "Ada")), "webhook-id", "msg_1", "webhook-timestamp", fmt.Sprint(time.Now().Unix()), "webhook-signature", "v1,AAAA")
	if code != http.StatusUnauthorized || strings.Contains(text, "signature") || strings.Contains(text, `"hint"`) {
		t.Errorf("%d %s", code, text)
	}
	if name := p.nameOf("cards", "a"); name != "" {
		t.Errorf("a stranger's row is stored: %q", name)
	}
	if code, text := p.ask(http.MethodPost, "/hooks/none", "{}"); code != http.StatusNotFound || !strings.Contains(text, "hook_not_found") {
		t.Errorf("a path of no source: %d %s", code, text)
	}
	metrics, err := d.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, family := range metrics {
		if family.GetName() == "pictifyd_hook_calls_total" {
			for _, m := range family.GetMetric() {
				counted[m.GetLabel()[1].GetValue()+" "+m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	if counted["crm refused"]+counted["refused crm"] != 1 {
		t.Errorf("counted are %v, want one refused call", counted)
	}
}

func TestWrongRowsAreNamedAndTheOthersTaken(t *testing.T) {
	p, _ := crm(t, crmSite)
	got := p.mustTell("crm", "msg_1", records(record("a", "Ada"), `7`, `{"name":"no key"}`, record("b", "Bob")), "accepted")
	if got.Rows != 2 || got.QuarantinedCount != 2 {
		t.Errorf("answer is %+v", got)
	}
	reasons := map[string]string{}
	for _, q := range got.Quarantined {
		reasons[q.Position] = q.Reason
	}
	if reasons["$.records[1]"] != "bad_record" || reasons["$.records[2]"] != "null_key" {
		t.Errorf("quarantined are %v", reasons)
	}
	for name, body := range map[string]string{"not JSON": `{"records":[`, "other form": `[]`} {
		code, answer, err := p.tell("crm", "msg_"+name, body)
		if err != nil || code != http.StatusBadRequest && code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %+v, %v", name, code, answer, err)
		}
		p.mustTell("crm", "msg_"+name, records(), "accepted") // the same id, corrected
	}
}

func TestKeyThatStandsTwiceInACallIsNobodysNewest(t *testing.T) {
	p, _ := crm(t, crmSite)
	p.mustTell("crm", "msg_1", records(record("a", "Ada")), "accepted")
	got := p.mustTell("crm", "msg_2", records(record("a", "one"), record("b", "Bob"), record("a", "two")), "accepted")
	if got.Rows != 1 || got.QuarantinedCount != 2 || got.Quarantined[0].Reason != "duplicate_key" {
		t.Errorf("answer is %+v", got)
	}
	if a, b := p.nameOf("cards", "a"), p.nameOf("cards", "b"); a != "Ada" || b != "Bob" {
		t.Errorf("a is %q, b is %q", a, b)
	}
}

func TestOlderStateNeverReplacesANewerOne(t *testing.T) {
	p, _ := crm(t, crmSite)
	row := func(id, name string, updated int) string {
		return fmt.Sprintf(`{"id":%q,"name":%q,"price":1,"updated":%d}`, id, name, updated)
	}
	for i, c := range []struct{ body, id, want string }{
		{row("a", "first", 10), "a", "first"},
		{row("a", "third", 30), "a", "third"},
		{row("a", "second", 20), "a", "third"},            // late
		{row("a", "third again", 30), "a", "third again"}, // the same second: what came later
		{row("b", "as it is", 10), "b", "as it is"},
		{row("b", "as it is", 30), "b", "as it is"}, // another state, the same values
		{row("b", "between", 20), "b", "as it is"},  // late
		{`[` + row("c", "new", 20) + `,` + row("c", "old", 10) + `]`, "c", "new"},
		{`{"id":"c","updated":30,"gone":true}`, "c", ""},
		{row("c", "late", 25), "c", ""},
		{row("c", "back", 40), "c", "back"},
		{`{"id":"d","updated":30,"gone":true}`, "d", ""}, // never seen before
		{row("d", "late", 25), "d", ""},
		{`{"id":"e","name":"in words","price":1,"updated":"2026-03-01T12:00:00Z"}`, "e", "in words"},
		{`{"id":"e","name":"earlier","price":1,"updated":"2026-03-01T13:59:59+02:00"}`, "e", "in words"},
	} {
		p.mustTell("dated", fmt.Sprint("msg_", i), c.body, "accepted")
		if got := p.nameOf("dated", c.id); got != c.want {
			t.Errorf("call %d: %s is %q, want %q", i, c.id, got, c.want)
		}
	}
}

func TestMessageThatIsSentManyTimesAtOnceIsTakenOnce(t *testing.T) {
	p, d := crm(t, crmSite)
	const times = 200
	var all sync.WaitGroup
	statuses := make(chan any, times)
	for range times {
		all.Go(func() {
			_, answer, err := p.tell("crm", "msg_1", records(record("a", "Ada")))
			if err != nil {
				t.Error(err)
			}
			statuses <- answer.Status
		})
	}
	all.Wait()
	close(statuses)
	counted := map[any]int{}
	for s := range statuses {
		counted[s]++
	}
	if counted["accepted"] != 1 || counted["duplicate"] != times-1 {
		t.Errorf("answers are %v, want one accepted", counted)
	}
	if rows, err := d.store.Rows(t.Context(), "crm", "", 10); err != nil || len(rows) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// Whatever the order in which calls of one key are grouped, the last that was
// answered is the state.
func TestCallsOfAFloodAreTakenInTheirOrder(t *testing.T) {
	p, d := crm(t, crmSite)
	var all sync.WaitGroup
	for sender := range 8 {
		all.Go(func() {
			for n := range 20 {
				id := fmt.Sprintf("msg_%d_%d", sender, n)
				body := records(record(fmt.Sprint("own-", sender), fmt.Sprint(n)), record("shared", id))
				if code, answer, err := p.tell("crm", id, body); err != nil || code != http.StatusOK || answer.Rows != 2 {
					t.Errorf("%s: %d %+v, %v", id, code, answer, err)
				}
			}
		})
	}
	all.Wait()
	for sender := range 8 {
		if name := p.nameOf("cards", fmt.Sprint("own-", sender)); name != "19" {
			t.Errorf("the row of sender %d is %q, want that of its last call", sender, name)
		}
	}
	p.mustTell("crm", "last", records(record("shared", "last")), "accepted")
	if name := p.nameOf("cards", "shared"); name != "last" {
		t.Errorf("the shared row is %q", name)
	}
	eventually(t, "all is drawn", func() bool { return p.ready("cards") == 9 })
	st, err := d.store.Bindings(t.Context(), []string{"cards"})
	if err != nil || st[0].HeldChanges != 0 {
		t.Errorf("%+v, %v: calls that come together are no mass change", st, err)
	}
}

func TestGuardHoldsACallThatChangesMost(t *testing.T) {
	p, d := crm(t, strings.Replace(crmSite, "on_delete: remove }", "on_delete: remove, guard: { floor: 3 } }", 1))
	rows := func(suffix string) string {
		var all []string
		for i := range 10 {
			all = append(all, record(fmt.Sprint(i), fmt.Sprint("Mug ", i, suffix)))
		}
		return records(all...)
	}
	p.mustTell("crm", "msg_1", rows(""), "accepted")
	eventually(t, "ten cards", func() bool { return p.ready("cards") == 10 })
	p.mustTell("crm", "msg_2", rows("!"), "accepted")
	st, err := d.store.Bindings(t.Context(), []string{"cards"})
	if err != nil || st[0].HeldChanges != 10 {
		t.Errorf("%+v, %v: want ten changes held", st[0], err)
	}
}

func TestCallHasAnotherSourceRead(t *testing.T) {
	shop := newShop(t, `[{"sku":"A","name":"Mug"}]`)
	p, _ := crm(t, `
sources:
  shop: { kind: http, url: "`+shop.server.URL+`", key: sku, every: 1h }
  bell: { kind: webhook, path: bell, secret: "`+crmSecret+`", refresh: shop }
bindings: [ { name: cards, source: shop, template: card, map: { title: name }, public: true } ]
`)
	eventually(t, "the first reading", func() bool { return p.nameOf("cards", "A") == "Mug" })
	shop.set(`[{"sku":"A","name":"Cup"}]`)
	if got := p.mustTell("bell", "msg_1", "", "accepted"); got.Refresh != "shop" {
		t.Errorf("answer is %+v", got)
	}
	eventually(t, "the reading that was asked for", func() bool { return p.nameOf("cards", "A") == "Cup" })
	p.mustTell("bell", "msg_1", "", "duplicate")
}

func TestBusySourceSendsCallsAwayWithoutTakingThem(t *testing.T) {
	p, d := crm(t, crmSite)
	f := d.roster().feeds["crm"]
	if err := f.gate.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := &call{done: make(chan struct{})}
	for range hookCalls {
		if !f.calls.add(c) {
			t.Fatal("there is no room for a call")
		}
	}
	if code, answer, err := p.tell("crm", "msg_1", records(record("a", "Ada"))); err != nil || code != http.StatusServiceUnavailable {
		t.Errorf("with all places taken: %d %+v, %v", code, answer, err)
	}
	f.calls.mu.Lock()
	f.calls.waiting = nil
	f.calls.mu.Unlock()
	if code, answer, err := p.tell("crm", "msg_1", records(record("a", "Ada"))); err != nil || code != http.StatusServiceUnavailable { // after hookPatience
		t.Errorf("while the source is being planned: %d %+v, %v", code, answer, err)
	}
	if n := len(f.calls.next()); n != 0 {
		t.Errorf("%d calls are left that were sent away", n)
	}
	f.gate.leave()
	p.mustTell("crm", "msg_1", records(record("a", "Ada")), "accepted")
}

func TestCallOfASenderWhoHasGoneIsNotTaken(t *testing.T) {
	d := newSite(t, crmSite).open()
	f := d.roster().feeds["crm"]
	if err := f.gate.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.await(ctx, f, &call{done: make(chan struct{})}); err == nil {
		t.Error("it is taken")
	}
	if n := len(f.calls.next()); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}

func TestLowDiskSendsCallsAway(t *testing.T) {
	p, _ := crm(t, "\nkeep: { min_free: 4000000000GB }"+crmSite)
	h := http.Header{}
	body := records(record("a", "Ada"))
	if err := (signing.Message{ID: "msg_1", Sent: time.Now(), Body: []byte(body)}).Sign(h, crmSecret); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, p.url+"/hooks/crm", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
}

func TestMessagesAreForgottenWhenNoSenderTriesAnyMore(t *testing.T) {
	p, d := crm(t, crmSite)
	p.mustTell("crm", "msg_1", records(), "accepted")
	for _, c := range []struct {
		at   time.Duration
		want bool
	}{{7 * day, true}, {9 * day, false}} {
		if err := d.forgetMessages(t.Context(), time.Now().Add(c.at)); err != nil {
			t.Fatal(err)
		}
		if seen, err := d.store.Seen(t.Context(), "crm", []string{"msg_1"}); err != nil || seen["msg_1"] != c.want {
			t.Errorf("after %v: seen %v, %v; want %v", c.at, seen, err, c.want)
		}
	}
}

func TestNewStateOfTheSameNumberIsTheLaterOne(t *testing.T) {
	versions := []int64{
		ordered(1, 0), ordered(1, 1), ordered(2, 0), ordered(1_700_000_000, 7), ordered(1_700_000_000, 8), ordered(1_700_000_001, 1),
		ordered(1_700_000_000_000, 1<<20-1), ordered(1_700_000_000_001, 1<<20), ordered(1<<42-1, 5), ordered(1<<42, 4), ordered(1<<42+1, 3), ordered(1<<62-1, 0),
	}
	if !slices.IsSorted(versions) || len(slices.Compact(versions)) != len(versions) || versions[0] <= 0 {
		t.Errorf("versions are %v, want them to rise", versions)
	}
}

func TestDriftOfColumnsIsSaidOnce(t *testing.T) {
	p, d := crm(t, crmSite)
	warnings := func() []string {
		var v struct{ Source struct{ Warnings []string } }
		p.get("/sources/crm", &v)
		return v.Source.Warnings
	}
	p.mustTell("crm", "msg_1", records(record("a", "Ada")), "accepted")
	p.mustTell("crm", "msg_2", records(`{"id":"a","op":"d"}`), "accepted") // says no more than a key
	if w := warnings(); len(w) != 0 {
		t.Errorf("warnings are %q before anything changed", w)
	}
	for i := range 3 {
		p.mustTell("crm", fmt.Sprint("msg_r", i), records(`{"id":"b","nam":"Bob","price":1}`), "accepted")
	}
	want := []string{`rows lack the column "name" that they had before, and cards reads it; was it renamed to "nam"?`, `rows have a new column "nam"`}
	if w := warnings(); !slices.Equal(w, want) {
		t.Errorf("warnings are %q, want %q", w, want)
	}
	if n := len(d.roster().feeds["crm"].drift.said); n != 2 {
		t.Errorf("%d shapes were logged, want each once", n)
	}
	p.mustTell("crm", "msg_3", records(record("b", "Bob")), "accepted")
	if w := warnings(); !slices.Equal(w, want[1:]) {
		t.Errorf("warnings are %q after the column is there again", w)
	}
}

func TestColumnsOfBeforeTheStartAreKnown(t *testing.T) {
	s := newSite(t, crmSite)
	ctx, stop := context.WithCancel(t.Context())
	url, ended := s.begin(ctx, Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	p.mustTell("crm", "msg_1", records(record("a", "Ada")), "accepted")
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	url, d := s.run(Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	p = &process{tb: t, url: url}
	p.mustTell("crm", "msg_1", records(record("a", "Ada")), "duplicate")
	p.mustTell("crm", "msg_2", records(`{"id":"a","price":1}`), "accepted")
	if w := d.roster().feeds["crm"].drift.warnings(); len(w) != 1 || !strings.Contains(w[0], `"name"`) {
		t.Errorf("warnings are %q", w)
	}
}

// waiting is how many calls wait for f.
func (f *feed) waiting() int {
	f.calls.mu.Lock()
	defer f.calls.mu.Unlock()
	return len(f.calls.waiting)
}

func TestCallsThatWaitShareACommitAndAreNoMassChange(t *testing.T) {
	p, d := crm(t, crmSite)
	f := d.roster().feeds["crm"]
	const n = 60
	for _, name := range []string{"first", "second"} {
		if err := f.gate.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				p.mustTell("crm", fmt.Sprint(name, i), records(record(fmt.Sprint(i), name)), "accepted")
			})
		}
		eventually(t, "all of them wait", func() bool { return f.waiting() == n })
		f.gate.leave()
		all.Wait()
		for i := range n {
			if got := p.nameOf("cards", fmt.Sprint(i)); got != name {
				t.Fatalf("row %d is %q, want %q", i, got, name)
			}
		}
	}
	st, err := d.store.Bindings(t.Context(), []string{"cards"})
	if err != nil || st[0].HeldChanges != 0 || st[0].Live != n {
		t.Errorf("%+v, %v: want %d images and nothing held", st[0], err, n)
	}
}

func TestCallsToASourceThatIsChangedAreToComeAgain(t *testing.T) {
	d := newSite(t, crmSite).open()
	f := d.roster().feeds["crm"]
	if err := f.gate.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.await(t.Context(), f, &call{done: make(chan struct{})}) }()
	eventually(t, "it waits", func() bool { return f.waiting() == 1 })
	f.end()
	f.gate.leave()
	if err := <-ended; problem.CodeOf(err) != problem.Overloaded {
		t.Errorf("got %v", err)
	}
}
