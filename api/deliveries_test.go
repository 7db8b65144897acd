package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// An outbox has a few deliveries, and keeps what it was asked for.
type outbox struct {
	records []sink.Record
	calls   []string
	filters []sink.Selection
	retold  sink.Retold
}

func newOutbox() *outbox {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return &outbox{retold: sink.Retold{Told: 5, Waiting: 1}, records: []sink.Record{
		{
			ID: "dlv_dead", Sink: "hook", Binding: "cards", Key: "SKU-1", Generation: 3, Event: sink.RenderCompleted, State: sink.Dead, Attempts: 2,
			Error: "503 from https://shop.example", Cause: "cause_a", CreatedAt: at, EndedAt: at.Add(time.Hour), Receipt: &sink.Receipt{Status: 503, Body: "down"},
			Row: json.RawMessage(`{"sku":"SKU-1"}`), Outputs: []sink.Output{{Name: "card", Hash: "abc", Ext: "png", Format: "png", Width: 2, Height: 1}}, Spent: 1,
			Tries: []sink.Try{
				{Number: 1, At: at, Took: 1500 * time.Microsecond, Error: "connection refused"},
				{Number: 2, At: at.Add(time.Minute), Receipt: sink.Receipt{Status: 503, Body: "down", Header: map[string]string{"Retry-After": "7"}}, Error: "503 from https://shop.example"},
			},
		},
		{ID: "dlv_sent", Sink: "hook", Binding: "private", Key: "7", State: sink.Delivered, Event: sink.RenderCompleted, Attempts: 1, CreatedAt: at, EndedAt: at},
		{ID: "dlv_job", Sink: "job:batch_1", Job: "batch_1", State: sink.Waiting, Event: sink.BatchCompleted, CreatedAt: at, DueAt: at},
		{ID: "dlv_lost", Sink: "gone", Binding: "cards", Key: "SKU-2", State: sink.Dead, Event: sink.RenderCompleted, Cause: "cause_b", CreatedAt: at, EndedAt: at},
	}}
}

func (o *outbox) take(f sink.Selection) []sink.Record {
	o.filters = append(o.filters, f)
	return slices.DeleteFunc(slices.Clone(o.records), func(r sink.Record) bool {
		return f.Sink != "" && f.Sink != r.Sink || f.Binding != "" && f.Binding != r.Binding || f.State != "" && f.State != r.State ||
			f.Key != "" && f.Key != r.Key || f.Cause != "" && f.Cause != r.Cause || f.IDs != nil && !slices.Contains(f.IDs, r.ID) ||
			f.Seen != nil && !slices.Contains(f.Seen.Bindings, r.Binding) && (r.Job == "" || !slices.Contains(f.Seen.Templates, testTemplate)) ||
			f.Seen != nil && strings.HasPrefix(r.Sink, sink.ToSubscription) && !slices.Contains(f.Seen.Subscriptions, strings.TrimPrefix(r.Sink, sink.ToSubscription))
	})
}

func (o *outbox) Deliveries(_ context.Context, f sink.Selection, after sink.Place, limit int) ([]sink.Record, error) {
	found := o.take(f)
	if i := slices.IndexFunc(found, func(r sink.Record) bool { return r.ID == after.ID }); i >= 0 {
		found = found[i+1:]
	}
	return found[:min(limit, len(found))], nil
}

func (o *outbox) Delivery(_ context.Context, id string, seen *sink.Seen) (sink.Record, error) {
	if found := o.take(sink.Selection{IDs: []string{id}, Seen: seen}); len(found) > 0 {
		return found[0], nil
	}
	return sink.Record{}, problem.New(problem.NotFound, "there is no delivery %q", id).WithSlug(slugDeliveryNotFound)
}

func (o *outbox) DeadLetters(_ context.Context, f sink.Selection, _ int) ([]sink.Group, error) {
	f.State = sink.Dead
	var groups []sink.Group
	for _, r := range o.take(f) {
		groups = append(groups, sink.Group{Cause: r.Cause, Sink: r.Sink, Events: []string{r.Event}, Error: r.Error, Count: 1, FirstSeen: r.EndedAt, LastSeen: r.EndedAt, IDs: []string{r.ID}})
	}
	return groups, nil
}

func (o *outbox) ReplayOne(_ context.Context, id string) error {
	o.calls = append(o.calls, "replay "+id)
	return nil
}

func (o *outbox) DiscardOne(_ context.Context, id, reason, by string) error {
	o.calls = append(o.calls, fmt.Sprintf("discard %s: %s, by %s", id, reason, by))
	return nil
}

func (o *outbox) Replay(_ context.Context, f sink.Selection) (int64, error) {
	f.State = sink.Dead
	return int64(len(o.take(f))), nil
}

func (o *outbox) Discard(_ context.Context, f sink.Selection, reason, by string) (int64, error) {
	f.State = sink.Dead
	n := len(o.take(f))
	if n > 0 {
		o.calls = append(o.calls, "discard: "+reason+", by "+by)
	}
	return int64(n), nil
}

func (o *outbox) Redeliver(_ context.Context, f sink.Selection, newID bool) (sink.Retold, error) {
	o.calls = append(o.calls, fmt.Sprintf("redeliver %s, new %v", f.Sink, newID))
	o.filters = append(o.filters, f)
	return o.retold, nil
}

func (o *outbox) PauseSink(_ context.Context, name string, paused bool) error {
	o.calls = append(o.calls, fmt.Sprintf("pause %s %v", name, paused))
	return nil
}

func TestDeliveriesAreListedByPages(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	var ids []string
	path := "/deliveries?limit=3"
	for range 3 {
		page := mustAnswer[deliveryPage](t, get(path).to(t, s), 200)
		for _, d := range page.Deliveries {
			ids = append(ids, d.ID)
		}
		if page.Next == "" {
			break
		}
		path = "/deliveries?limit=3&after=" + page.Next
	}
	if want := []string{"dlv_dead", "dlv_sent", "dlv_job", "dlv_lost"}; !slices.Equal(ids, want) {
		t.Errorf("listed are %v, want %v", ids, want)
	}
	got := mustAnswer[deliveryPage](t, get("/deliveries?state=dead&sink=hook&binding=cards&key=SKU-1&cause=cause_a").to(t, s), 200).Deliveries
	if len(got) != 1 || got[0].Answer == nil || got[0].Answer.Status != 503 || got[0].EndedAt == nil || got[0].DueAt != nil {
		t.Errorf("listed is %+v", got)
	}
}

func TestDeliveryTellsItsAttempts(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	d := mustAnswer[struct{ Delivery map[string]any }](t, get("/deliveries/dlv_dead").to(t, s), 200).Delivery
	text, _ := json.Marshal(map[string]any{"tries": d["tries"], "outputs": d["outputs"], "row": d["row"], "spent": d["spentAttempts"]})
	for _, want := range []string{
		`"durationMs":1.5`, `"error":"connection refused"`, `"answer":{"body":"down","headers":{"Retry-After":"7"},"status":503}`, `"attempt":2`,
		`"url":"http://127.0.0.1:8080/images/abc.png"`, `"row":{"sku":"SKU-1"}`, `"spent":1`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("it says %s, without %s", text, want)
		}
	}
}

func TestWhatOutboxIsAskedForWrongly(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for name, c := range map[string]struct {
		call   call
		status int
		code   string
		says   string
	}{
		"a delivery that there is not":     {get("/deliveries/dlv_none"), 404, slugDeliveryNotFound, ""},
		"replay of one that there is not":  {post("/deliveries/dlv_none/replay", ""), 404, slugDeliveryNotFound, ""},
		"discard of one that there is not": {post("/deliveries/dlv_none/discard", `{"reason":"x"}`), 404, slugDeliveryNotFound, ""},
		"replay to a sink that went":       {post("/deliveries/dlv_lost/replay", ""), 409, slugSinkGone, "gone"},
		"a state that there is not":        {get("/deliveries?state=lost"), 422, "out_of_range", "superseded"},
		"since no time":                    {get("/deliveries?since=monday"), 422, "out_of_range", "2h"},
		"since to come":                    {get("/deliveries?since=" + soon), 422, "out_of_range", "to come"},
		"since so long to come":            {get("/dead-letters?since=-2h"), 422, "out_of_range", ""},
		"a place that is none":             {get("/deliveries?after=dlv_dead"), 422, "out_of_range", "next"},
		"a page too large":                 {get("/deliveries?limit=1001"), 422, "out_of_range", ""},
		"a sink misspelt":                  {get("/deliveries?sink=hok"), 404, "sink_not_found", "did you mean"},
		"a binding misspelt":               {get("/dead-letters?binding=card"), 404, slugBindingNotFound, "did you mean"},
		"a key that is none":               {get("/deliveries?key=%25zz"), 422, "bad_key", ""},
		"discard without a reason":         {post("/deliveries/dlv_dead/discard", `{"reason":"  "}`), 422, slugNoReason, "reason"},
		"discard without a body":           {post("/deliveries/dlv_dead/discard", ""), 422, slugNoReason, ""},
		"discard with a long reason":       {post("/deliveries/dlv_dead/discard", `{"reason":"`+strings.Repeat("é", 501)+`"}`), 422, "out_of_range", ""},
		"discard of many without a reason": {post("/dead-letters/discard", `{"cause":"cause_a"}`), 422, slugNoReason, ""},
		"nothing selected":                 {post("/dead-letters/replay", `{}`), 422, slugNoSelection, "cause"},
		"nothing selected to discard":      {post("/dead-letters/discard", `{"reason":"x"}`), 422, slugNoSelection, ""},
		"no ids":                           {post("/dead-letters/replay", `{"ids":[]}`), 422, slugNoSelection, ""},
		"too many ids":                     {post("/dead-letters/replay", `{"ids":[`+strings.Repeat(`"x",`, 1000)+`"x"]}`), 413, "too_large", ""},
		"a field misspelt":                 {post("/dead-letters/replay", `{"case":"cause_a"}`), 400, slugMalformed, ""},
		"a cause that vanished":            {post("/dead-letters/replay", `{"cause":"cause_x"}`), 404, slugNoLetters, "any more"},
		"ids that vanished":                {post("/dead-letters/discard", `{"ids":["dlv_sent"],"reason":"x"}`), 404, slugNoLetters, ""},
		"letters since to come":            {post("/dead-letters/replay", `{"since":"`+soon+`"}`), 422, "out_of_range", "to come"},
		"letters of a sink misspelt":       {post("/dead-letters/replay", `{"sink":"hookk"}`), 404, "sink_not_found", "did you mean"},
		"pause of a sink misspelt":         {post("/sinks/hok/pause", ""), 404, "sink_not_found", "did you mean"},
		"resume of a sink misspelt":        {post("/sinks/hok/resume", ""), 404, "sink_not_found", ""},
		"redeliver to a sink misspelt":     {post("/sinks/hok/redeliver", ""), 404, "sink_not_found", ""},
		"redeliver since to come":          {post("/sinks/hook/redeliver", `{"since":"`+soon+`"}`), 422, "out_of_range", ""},
		"redeliver with a word misspelt":   {post("/sinks/hook/redeliver", `{"newId":true}`), 400, slugMalformed, "newId"},
	} {
		out := c.call.to(t, s)
		var d document
		_ = json.Unmarshal(out.Body.Bytes(), &d)
		if out.Code != c.status || d.Code != c.code || !strings.Contains(d.Detail+d.Hint, c.says) {
			t.Errorf("%s: %d %s, want %d %s with %q", name, out.Code, out.Body, c.status, c.code, c.says)
		}
	}
	if len(w.outbox.calls) != 0 {
		t.Errorf("and something was done: %q", w.outbox.calls)
	}
	w.outbox.retold = sink.Retold{}
	if out := post("/sinks/hook/redeliver", `{"binding":"card"}`).to(t, s); out.Code != 404 || !strings.Contains(out.Body.String(), `did you mean \"cards\"`) {
		t.Errorf("redeliver of a binding misspelt: %d %s", out.Code, out.Body)
	}
}

func TestLettersAreMovedAndSaidByWhom(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(Key{Name: "ada", Key: config.NewSecret(fullKey)}), w)
	for _, c := range []struct {
		call   call
		status int
		says   string
	}{
		{post("/deliveries/dlv_dead/replay", ""), 202, `"id":"dlv_dead"`},
		{post("/deliveries/dlv_job/replay", ""), 202, `"jobId":"batch_1"`},
		{post("/deliveries/dlv_dead/discard", `{"reason":" closed "}`), 200, `"id":"dlv_dead"`},
		{post("/dead-letters/replay", `{"since":"2026-03-01"}`), 202, `{"replayed":2}`},
		{post("/dead-letters/replay", `{"sink":"hook","binding":"private"}`), 202, `{"replayed":0}`},
		{post("/dead-letters/discard", `{"ids":["dlv_dead"],"reason":"closed"}`), 200, `{"discarded":1}`},
		{post("/sinks/hook/pause", ""), 200, `"delivery":{"state":"disabled","reason":"410 gone"`},
		{post("/sinks/hook/resume", ""), 200, `"waiting":3,"deadLetters":2}`},
		{post("/sinks/hook/redeliver", `{"since":"1h","binding":"cards","key":"a b","newIds":true}`), 202, `{"sink":"hook","state":"disabled","told":5,"waiting":1,"gone":0}`},
	} {
		if out := c.call.bearer(fullKey).to(t, s); out.Code != c.status || !strings.Contains(out.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d with %s", c.call.path, out.Code, out.Body, c.status, c.says)
		}
	}
	want := []string{"replay dlv_dead", "replay dlv_job", "discard dlv_dead: closed, by ada", "discard: closed, by ada", "pause hook true", "pause hook false", "redeliver hook, new true"}
	if diff := cmp.Diff(want, w.outbox.calls); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	last := w.outbox.filters[len(w.outbox.filters)-1]
	if last.Key != "a%20b" || last.Binding != "cards" || time.Since(last.Since) < time.Hour {
		t.Errorf("told again are those of %+v", last)
	}
}

func TestKeySeesOnlyItsOwnDeliveries(t *testing.T) {
	w := newWorld()
	w.configured[1].Template = "other"
	of := func(key string, scopes []Scope, templates ...string) Key {
		return Key{Name: key, Key: config.NewSecret(key + "-which-is-long-enough"), Scopes: scopes, Templates: templates}
	}
	s := mustServer(t, locked(of("mine", nil, testTemplate), of("rows", []Scope{BindingsWrite}), of("theirs", nil, "other"), of("pictures", []Scope{RendersWrite})), w)
	for key, want := range map[string][]string{
		"mine": {"dlv_dead", "dlv_job", "dlv_lost"}, "rows": {"dlv_dead", "dlv_sent", "dlv_lost"}, "theirs": {"dlv_sent"},
	} {
		var ids []string
		for _, d := range mustAnswer[deliveryPage](t, get("/deliveries").bearer(key+"-which-is-long-enough").to(t, s), 200).Deliveries {
			ids = append(ids, d.ID)
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("%s sees (-want +got):\n%s", key, diff)
		}
	}
	bearer := "theirs-which-is-long-enough"
	for _, c := range []call{get("/deliveries/dlv_dead"), post("/deliveries/dlv_dead/replay", ""), post("/deliveries/dlv_dead/discard", `{"reason":"x"}`), post("/dead-letters/replay", `{"ids":["dlv_dead"]}`)} {
		if out := c.bearer(bearer).to(t, s); out.Code != http.StatusNotFound {
			t.Errorf("%s %s of another template: %d %s", c.method, c.path, out.Code, out.Body)
		}
	}
	if len(w.outbox.calls) != 0 {
		t.Errorf("and something was done: %q", w.outbox.calls)
	}
	if out := get("/deliveries").bearer("pictures-which-is-long-enough").to(t, s); out.Code != http.StatusForbidden {
		t.Errorf("a key that may not see bindings: %d", out.Code)
	}
}

// newSubscribedWorld has two subscriptions, of which one hears of a single template,
// with a delivery each, and a third that is gone.
func newSubscribedWorld() *world {
	w := newWorld()
	for id, templates := range map[string][]string{"sub_mine": {testTemplate}, "sub_all": nil} {
		w.subscriptionDesk.all = append(w.subscriptionDesk.all, Subscription{Subscription: sink.Subscription{ID: id, Events: []string{sink.RenderCompleted}, Templates: templates}})
	}
	for _, id := range []string{"sub_mine", "sub_all", "sub_gone"} {
		w.outbox.records = append(w.outbox.records, sink.Record{ID: "dlv_" + id, Sink: "sub:" + id, Binding: "cards", Key: "SKU-1", State: sink.Dead, Event: sink.RenderCompleted, Cause: "cause_c"})
	}
	return w
}

func TestKeySeesNoDeliveriesToSubscriptionsThatItDoesNotSee(t *testing.T) {
	w := newSubscribedWorld()
	const bearer = "mine-which-is-long-enough"
	s := mustServer(t, locked(Key{Name: "mine", Key: config.NewSecret(bearer), Templates: []string{testTemplate}}), w)
	var ids []string
	for _, d := range mustAnswer[deliveryPage](t, get("/deliveries?cause=cause_c").bearer(bearer).to(t, s), 200).Deliveries {
		ids = append(ids, d.ID)
	}
	if diff := cmp.Diff([]string{"dlv_sub_mine"}, ids); diff != "" {
		t.Errorf("it sees (-want +got):\n%s", diff)
	}
	for _, path := range []string{"/deliveries/dlv_sub_all", "/deliveries/dlv_sub_gone", "/deliveries?sink=sub:sub_all"} {
		if out := get(path).bearer(bearer).to(t, s); out.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, out.Code, out.Body)
		}
	}
	get("/bindings/cards/rows/SKU-1").bearer(bearer).to(t, s)
	if seen := w.shelf.seen; seen == nil || !slices.Equal(seen.Subscriptions, []string{"sub_mine"}) {
		t.Errorf("of a row it sees %+v", seen)
	}
}

func TestKeySeesOfASinkWhatIsItsOwn(t *testing.T) {
	const bearer = "mine-which-is-long-enough"
	for name, c := range map[string]struct {
		usedBy []string
		want   string
	}{
		"its own":      {[]string{"cards"}, `"delivery":{"state":"disabled","reason":"410 gone","arrivedAt":null,"waiting":3,"deadLetters":2}`},
		"shared":       {[]string{"cards", "private"}, `"delivery":{"state":"disabled","arrivedAt":null}`},
		"others'":      {[]string{"private"}, ``},
		"that is free": {nil, ``},
	} {
		w := newWorld()
		w.configured[1].Template = "other"
		w.shelf.connections[2].UsedBy = c.usedBy
		s := mustServer(t, locked(Key{Name: "mine", Key: config.NewSecret(bearer), Templates: []string{testTemplate}}), w)
		for _, path := range []string{"/sinks", "/sinks/hook"} {
			out := get(path).bearer(bearer).to(t, s).Body.String()
			if !strings.Contains(out, c.want) || c.want == "" && strings.Contains(out, `"delivery"`) {
				t.Errorf("of a sink, %s, %s says %s, want %s", name, path, out, c.want)
			}
		}
	}
}

func TestDeliveryToASubscriptionIsReplayed(t *testing.T) {
	w := newSubscribedWorld()
	s := mustServer(t, locked(), w)
	for _, c := range []struct {
		call   call
		status int
		says   string
	}{
		{post("/deliveries/dlv_sub_all/replay", ""), 202, `"sink":"sub:sub_all"`},
		{post("/deliveries/dlv_sub_gone/replay", ""), 409, "was deleted"},
		{post("/deliveries/dlv_job/replay", ""), 202, "job:batch_1"},
		{get("/deliveries?sink=sub:sub_al"), 404, "did you mean"},
		{post("/sinks/sub:sub_all/resume", ""), 404, "/webhook-subscriptions/sub_all"},
	} {
		if out := c.call.bearer(fullKey).to(t, s); out.Code != c.status || !strings.Contains(out.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d with %s", c.call.path, out.Code, out.Body, c.status, c.says)
		}
	}
}

func TestSinceIsAMomentThatHasPassed(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "2h": now.Add(-2 * time.Hour), "7d": now.Add(-7 * 24 * time.Hour), "2026-05-04": now.Truncate(24 * time.Hour),
		"2026-05-04T13:30:00+02:00": now.Add(-30 * time.Minute),
	} {
		if got, err := sinceOf(text, now); err != nil || !got.Equal(want) {
			t.Errorf("since %q is %v, %v, want %v", text, got, err, want)
		}
	}
}
