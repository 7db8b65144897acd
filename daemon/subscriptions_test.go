package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A subscriber of a test verifies what it is sent, and keeps it.
type listener struct {
	server *httptest.Server

	mu      sync.Mutex
	secret  string // verifies; "" keeps all
	status  int    // answered; 0: 200
	heard   []hook
	refused []string
}

func newListener(tb testing.TB) *listener {
	l := &listener{}
	l.server = httptest.NewServer(http.HandlerFunc(l.receive))
	tb.Cleanup(l.server.Close)
	return l
}

func (l *listener) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	var h hook
	if err == nil {
		err = json.Unmarshal(body, &h)
	}
	if err == nil && l.secret != "" {
		var wh *standardwebhooks.Webhook
		if wh, err = standardwebhooks.NewWebhook(l.secret); err == nil {
			err = wh.Verify(body, r.Header)
		}
	}
	if err != nil {
		l.refused = append(l.refused, err.Error())
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	if l.status != 0 {
		http.Error(w, "not now", l.status)
		return
	}
	h.ID = r.Header.Get("webhook-id")
	l.heard = append(l.heard, h)
}

func (l *listener) set(secret string, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secret, l.status = secret, status
}

// events are those heard so far, with the key of the row, each once.
func (l *listener) events() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var events []string
	for _, h := range l.heard {
		var d struct{ Key, Binding string }
		_ = json.Unmarshal(h.Data, &d)
		events = append(events, strings.TrimSpace(h.Event+" "+d.Key))
	}
	slices.Sort(events)
	return events
}

// all are those heard so far.
func (l *listener) all() []hook {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.heard)
}

func (l *listener) mustHear(tb testing.TB, what string, want ...string) {
	tb.Helper()
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s: wanted %q, heard %q, refused %q", what, want, l.events(), l.refused)
		}
	})
	eventually(tb, what, func() bool { return cmp.Equal(l.events(), want) })
}

// mustShow waits until a binding has so many images.
func (p *process) mustShow(binding string, ready int) {
	p.tb.Helper()
	eventually(p.tb, "the images are there", func() bool {
		var v struct{ Binding struct{ Ready, Waiting int } }
		p.get("/bindings/"+binding, &v)
		return v.Binding.Ready == ready && v.Binding.Waiting == 0
	})
}

// cutOff makes a request to a daemon that dies before it answers.
func (p *process) cutOff(method, path, body string) {
	p.tb.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
	}
}

// A shownSubscription is what the tests read of a subscription.
type shownSubscription struct {
	ID, Secret, Status, Reason string
	LastDelivery               *struct {
		Event, Status string
		ResponseCode  int
		RetryCount    int
		NextRetry     string
	}
}

// subscription asks for something of a subscription, and returns it.
func (p *process) subscription(method, path, body string, want int) shownSubscription {
	p.tb.Helper()
	status, text := p.ask(method, "/webhook-subscriptions"+path, body)
	var v struct{ Subscription shownSubscription }
	if err := json.Unmarshal([]byte(text), &v); status != want || err != nil && want < 300 && want != 204 {
		p.tb.Fatalf("%s /webhook-subscriptions%s: %d, want %d: %s", method, path, status, want, text)
	}
	return v.Subscription
}

func (p *process) subscribe(l *listener, filters string, events ...string) shownSubscription {
	p.tb.Helper()
	list, err := json.Marshal(events)
	if err != nil {
		p.tb.Fatal(err)
	}
	return p.subscription("POST", "", fmt.Sprintf(`{"events":%s,"targetUrl":%q,"filters":%s}`, list, l.server.URL+"/?token=of-the-receiver", filters), 201)
}

const subscribedYAML = `
sources: { shop: { kind: http, url: "SHOP", key: id, every: 1s } }
bindings:
  - { name: cards, source: shop, template: card, outputs: [ { format: png } ], on_delete: remove, delete_grace: 1ms }
`

// newSubscribedSite is a site whose binding shows the rows of a shop.
func newSubscribedSite(t *testing.T, rows string) (*site, *shop) {
	t.Helper()
	shop := newShop(t, rows)
	return newSite(t, strings.ReplaceAll(subscribedYAML, "SHOP", shop.server.URL)), shop
}

func TestSubscriptionHearsOfBindingsAndBatches(t *testing.T) {
	t.Parallel()
	s, shop := newSubscribedSite(t, `[{"id":1,"title":"A","price":1}]`)
	p := s.start()
	p.mustShow("cards", 1)
	one, cards, batches := newListener(t), newListener(t), newListener(t)
	made := p.subscribe(one, `{}`, "render.completed", "render.failed", "image.removed", "batch.completed", "batch.failed", "binding.updated")
	one.set(made.Secret, 0)
	p.subscribe(cards, `{"bindingId":"cards"}`, "render.completed", "image.removed")
	p.subscribe(batches, `{"type":"pdf"}`, "render.completed", "batch.completed")
	shop.set(`[{"id":1,"title":"A","price":1},{"id":2,"title":"B","price":2}]`)
	one.mustHear(t, "of a row", "binding.updated", "render.completed 2")
	for _, h := range one.all() {
		var row subscribedRow
		if err := json.Unmarshal(h.Data, &row); err != nil || h.Event == "render.completed" && (row.TemplateID != "card" || row.BindingID != "cards" || row.Type != "image" ||
			row.Source != "binding" || !strings.HasPrefix(row.URL, "http://") || row.ImageID != row.Hash || row.Width == 0 || row.RenderedAt.IsZero()) {
			t.Errorf("of the row was told %s", h.Data)
		}
	}
	shop.set(`[{"id":1,"title":"A","price":1}]`)
	one.mustHear(t, "of its removal", "binding.updated", "binding.updated", "image.removed 2", "render.completed 2")
	if _, err := p.postBatch([]map[string]any{{"title": "C", "price": 3}, {}}, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the batch is told of", func() bool { return slices.Contains(one.events(), "batch.completed") && len(one.events()) == 7 })
	for _, h := range one.all() {
		var d struct {
			BatchID, TemplateUID, TemplateID, Status, ErrorCode string
			FailedCount                                         int
		}
		if err := json.Unmarshal(h.Data, &d); err != nil {
			t.Fatal(err)
		}
		switch {
		case h.Event == "batch.completed" && (d.Status != "partial" || d.FailedCount != 1 || d.TemplateUID != "card"),
			h.Event == "render.failed" && (d.ErrorCode == "" || d.TemplateID != "card" || d.BatchID == ""):
			t.Errorf("of the batch was told %s", h.Data)
		}
	}
	cards.mustHear(t, "who listens to the binding", "image.removed 2", "render.completed 2")
	batches.mustHear(t, "who listens to PDFs")
}

func TestPausedSubscriptionLosesNothing(t *testing.T) {
	t.Parallel()
	s, shop := newSubscribedSite(t, `[]`)
	p := s.start()
	l := newListener(t)
	id := p.subscribe(l, `{}`, "render.completed").ID
	p.subscription("POST", "/"+id+"/pause", "", 200)
	shop.set(`[{"id":1,"title":"A","price":1},{"id":2,"title":"B","price":2}]`)
	p.mustShow("cards", 2)
	if code := p.terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	p = s.start() // it is still there, and paused
	if got := p.subscription("GET", "/"+id, "", 200); got.Status != "paused" || got.Secret != "" {
		t.Errorf("after the restart it is %+v", got)
	}
	l.mustHear(t, "while it is paused")
	if got := p.subscription("POST", "/"+id+"/resume", "", 200); got.Status != "active" {
		t.Errorf("resumed is %+v", got)
	}
	l.mustHear(t, "after it", "render.completed 1", "render.completed 2")
	eventually(t, "the last delivery is shown", func() bool {
		last := p.subscription("GET", "/"+id, "", 200).LastDelivery
		return last != nil && last.Status == "delivered" && last.ResponseCode == 200 && last.Event == "render.completed"
	})
	p.subscription("DELETE", "/"+id, "", 204)
	shop.set(`[{"id":1,"title":"A","price":1},{"id":2,"title":"B","price":2},{"id":3,"title":"C","price":3}]`)
	p.mustShow("cards", 3)
	l.mustHear(t, "after it was deleted", "render.completed 1", "render.completed 2")
	p.subscription("GET", "/"+id, "", 404)
}

func TestOldSecretSignsAlongAfterRotation(t *testing.T) {
	t.Parallel()
	s, _ := newSubscribedSite(t, `[]`)
	p := s.start()
	l := newListener(t)
	made := p.subscribe(l, `{}`, "render.completed")
	rotated := p.subscription("POST", "/"+made.ID+"/rotate-secret", "", 200)
	if rotated.Secret == "" || rotated.Secret == made.Secret {
		t.Fatalf("the new secret is %q", rotated.Secret)
	}
	again := p.subscription("POST", "/"+made.ID+"/rotate-secret", "", 200)
	for secret, verifies := range map[string]bool{made.Secret: false, rotated.Secret: true, again.Secret: true} {
		l.set(secret, 0)
		_, text := p.ask("POST", "/webhook-subscriptions/"+made.ID+"/test", "")
		if got := strings.Contains(text, `"ok":true`); got != verifies {
			t.Errorf("verifies: %v, want %v: %s", got, verifies, text)
		}
	}
}

func TestTestEventHasTheFormOfARealOne(t *testing.T) {
	t.Parallel()
	s, _ := newSubscribedSite(t, `[]`)
	p := s.start()
	l := newListener(t)
	made := p.subscribe(l, `{}`, "render.completed")
	l.set(made.Secret, 0)
	for _, event := range []string{"render.completed", "render.failed", "image.removed", "batch.completed", "run.completed", "binding.updated"} {
		if status, text := p.ask("POST", "/webhook-subscriptions/"+made.ID+"/test", `{"event":"`+event+`"}`); status != 200 || !strings.Contains(text, `"ok":true`) {
			t.Errorf("%s: %d %s", event, status, text)
		}
	}
	for _, h := range l.all() {
		var d struct {
			DeliveryID string
			Test       bool
		}
		if err := json.Unmarshal(h.Data, &d); err != nil || !d.Test || d.DeliveryID != h.ID {
			t.Errorf("%s: %s", h.Event, h.Data)
		}
	}
	l.set(made.Secret, 500)
	if status, text := p.ask("POST", "/webhook-subscriptions/"+made.ID+"/test", ""); status != 200 || !strings.Contains(text, `"ok":false`) || strings.Contains(text, "of-the-receiver") {
		t.Errorf("of a receiver that fails: %d %s", status, text)
	}
}

func TestGoneReceiverDisablesItsSubscription(t *testing.T) {
	t.Parallel()
	s, shop := newSubscribedSite(t, `[]`)
	p := s.start()
	l := newListener(t)
	id := p.subscribe(l, `{}`, "render.completed").ID
	l.set("", http.StatusGone)
	shop.set(`[{"id":1,"title":"A","price":1}]`)
	eventually(t, "it is disabled", func() bool { return p.subscription("GET", "/"+id, "", 200).Status == "disabled" })
	got := p.subscription("GET", "/"+id, "", 200)
	if !strings.Contains(got.Reason, "410") || strings.Contains(got.Reason, "of-the-receiver") {
		t.Errorf("the reason is %q", got.Reason)
	}
	l.set("", 0)
	if got := p.subscription("POST", "/"+id+"/resume", "", 200); got.Status != "active" || got.Reason != "" {
		t.Errorf("resumed is %+v", got)
	}
	shop.set(`[{"id":1,"title":"A","price":1},{"id":2,"title":"B","price":2}]`)
	eventually(t, "it hears again", func() bool { return slices.Contains(l.events(), "render.completed 2") })
}

func TestSubscriptionSurvivesKill(t *testing.T) {
	t.Parallel()
	s, shop := newSubscribedSite(t, `[]`)
	l := newListener(t)
	p := s.start(childCrash + "=subscription.committed:1")
	body := fmt.Sprintf(`{"events":["render.completed","binding.updated"],"targetUrl":%q}`, l.server.URL)
	p.cutOff("POST", "/webhook-subscriptions", body)
	p.mustDie("subscription.committed")
	p = s.start(childCrash + "=delivery.answered:1")
	var all struct{ Subscriptions []shownSubscription }
	if p.get("/webhook-subscriptions", &all); len(all.Subscriptions) != 1 {
		t.Fatalf("after the kill there are %+v", all)
	}
	if again := p.subscription("POST", "", body, 200); again.ID != all.Subscriptions[0].ID || again.Secret != "" {
		t.Errorf("subscribed again it is %+v", again)
	}
	shop.set(`[{"id":1,"title":"A","price":1}]`)
	p.mustDie("delivery.answered")
	p = s.start(childCrash + "=subscription.deleted:1")
	eventually(t, "both are told", func() bool {
		ids := map[string]bool{}
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, h := range l.heard {
			ids[h.Event+h.ID] = true
		}
		return len(ids) == 2 && len(l.heard) <= 3
	})
	l.set("", 500)
	shop.set(`[{"id":1,"title":"B","price":1}]`)
	p.mustShow("cards", 1)
	p.cutOff("DELETE", "/webhook-subscriptions/"+all.Subscriptions[0].ID, "")
	p.mustDie("subscription.deleted")
	p = s.start()
	if p.get("/webhook-subscriptions", &all); len(all.Subscriptions) != 0 {
		t.Errorf("after the deletion there are %+v", all)
	}
	if _, text := p.ask("GET", "/metrics", ""); !strings.Contains(text, `pictifyd_deliveries{sink="subscriptions",state="waiting"} 0`) {
		t.Errorf("deliveries wait for nobody: %s", text)
	}
}

func TestSecretsOfSubscriptionsAreNowhere(t *testing.T) {
	t.Parallel()
	s, shop := newSubscribedSite(t, `[]`)
	p := s.start()
	l := newListener(t)
	made := p.subscribe(l, `{}`, "render.completed")
	l.set("", 500)
	shop.set(`[{"id":1,"title":"A","price":1}]`)
	eventually(t, "it was tried", func() bool {
		last := p.subscription("GET", "/"+made.ID, "", 200).LastDelivery
		return last != nil && last.Status == "retrying" && last.ResponseCode == 500
	})
	var all struct {
		Deliveries []struct{ ID, Sink, Error string }
	}
	if p.get("/deliveries", &all); len(all.Deliveries) != 1 || all.Deliveries[0].Sink != "sub:"+made.ID || all.Deliveries[0].Error == "" {
		t.Fatalf("the deliveries are %+v", all.Deliveries)
	}
	delivery := "/deliveries/" + all.Deliveries[0].ID
	bare := strings.TrimPrefix(made.Secret, "whsec_")
	for _, path := range []string{"/webhook-subscriptions", "/webhook-subscriptions/" + made.ID, "/bindings/cards/rows/1", "/metrics", "/sinks", "/deliveries", delivery, "/dead-letters"} {
		res, err := http.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || strings.Contains(string(text), bare) || strings.Contains(string(text), "of-the-receiver") && !strings.HasPrefix(path, "/webhook-subscriptions") {
			t.Errorf("%s: %v, has the secret: %s", path, err, text)
		}
	}
	if log := p.log.String(); strings.Contains(log, bare) || strings.Contains(log, "of-the-receiver") {
		t.Errorf("the log has what only the receiver knows:\n%s", log)
	}
	p.terminate()
	if data := s.read("data/pictifyd.db"); strings.Contains(data, bare) || strings.Contains(data, made.Secret) {
		t.Error("the store has the secret as it is")
	}
}

func TestSubscriptionToAPrivateAddressIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := newSubscribedSite(t, `[]`)
	p := s.start()
	for address, want := range map[string]int{"http://10.1.2.3/hook": 422, "http://169.254.169.254/": 422, "http://[::1]/": 422} {
		status, text := p.ask("POST", "/webhook-subscriptions", fmt.Sprintf(`{"event":"render.completed","targetUrl":%q}`, address))
		if status != want || !strings.Contains(text, "webhook_refused") {
			t.Errorf("%s: %d %s", address, status, text)
		}
	}
}
