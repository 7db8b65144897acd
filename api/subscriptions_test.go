package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// A desk of subscriptions in memory. It keeps what it was asked for.
type subscriptionDesk struct {
	all      []Subscription
	last     map[string]LastDelivery
	secrets  int
	inTheWay error
	tested   []string
	test     SinkTest
	most     Limits
}

func (d *subscriptionDesk) find(id string) *Subscription {
	for i := range d.all {
		if d.all[i].ID == id {
			return &d.all[i]
		}
	}
	return nil
}

func (d *subscriptionDesk) Subscriptions(context.Context) ([]Subscription, error) { return d.all, nil }

func (d *subscriptionDesk) LastDeliveries(context.Context, []string) (map[string]LastDelivery, error) {
	return d.last, nil
}

func (d *subscriptionDesk) Subscribe(_ context.Context, s sink.Subscription, most Limits) (sink.Subscription, string, error) {
	if d.inTheWay != nil {
		return s, "", d.inTheWay
	}
	d.most = most
	for _, one := range d.all {
		if one.URL == s.URL && one.Owner == s.Owner {
			return one.Subscription, "", nil
		}
	}
	s.ID, s.Revision, s.Secret, s.Previous = fmt.Sprint("sub_", len(d.all)+1), 1, "sealed-text", "sealed-text"
	s.CreatedAt = time.UnixMilli(int64(1000 + len(d.all)))
	s.UpdatedAt = s.CreatedAt
	d.all = append(d.all, Subscription{Subscription: s})
	secret, err := d.RotateSecret(context.Background(), s.ID)
	return s, secret, err
}

func (d *subscriptionDesk) ChangeSubscription(_ context.Context, s sink.Subscription) error {
	one := d.find(s.ID)
	if one.Revision != s.Revision {
		return problem.New(problem.Conflict, "moved").WithSlug("subscription_moved")
	}
	s.Revision++
	one.Subscription = s
	return nil
}

func (d *subscriptionDesk) Unsubscribe(_ context.Context, id string) error {
	d.all = slices.DeleteFunc(d.all, func(s Subscription) bool { return s.ID == id })
	return nil
}

func (d *subscriptionDesk) PauseSubscription(_ context.Context, id string, paused bool) error {
	one := d.find(id)
	one.Paused, one.DisabledAt, one.Reason = paused, time.Time{}, ""
	return nil
}

func (d *subscriptionDesk) RotateSecret(context.Context, string) (string, error) {
	d.secrets++
	return fmt.Sprint("whsec_", d.secrets), nil
}

func (d *subscriptionDesk) TestSubscription(_ context.Context, id, event string) (SinkTest, error) {
	d.tested = append(d.tested, id+" "+event)
	d.test.Event = event
	return d.test, nil
}

type oneSubscriptionAnswer struct{ Subscription newSubscriptionView }

const orderOfOne = `{"event":"render.completed","targetUrl":"https://hooks.example/1"}`

func TestSubscriptionShowsItsSecretOnce(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	body := `{"event":"image.removed","targetUrl":"https://hooks.example/1?a=b&c=d","platform":"zapier","filters":{"bindingId":"cards","type":"image"}}`
	made := mustAnswer[oneSubscriptionAnswer](t, post("/webhook-subscriptions", body).to(t, s), 201).Subscription
	if made.Secret != "whsec_1" || made.ID != "sub_1" || made.Event != "image.removed" || len(made.Events) != 1 || made.Platform != "zapier" ||
		made.TargetURL != "https://hooks.example/1?a=b&c=d" || made.Filters != (filterView{BindingID: "cards", Type: "image"}) || made.Status != "active" || made.LastDelivery != nil {
		t.Errorf("made was %+v", made)
	}
	for _, c := range []call{get("/webhook-subscriptions/sub_1"), get("/webhook-subscriptions"), post("/webhook-subscriptions/sub_1/pause", ""), post("/webhook-subscriptions", body)} {
		out := c.to(t, s)
		if text := out.Body.String(); out.Code != 200 || strings.Contains(text, "whsec") || strings.Contains(text, "sealed-text") || !strings.Contains(text, "sub_1") {
			t.Errorf("%s %s: %d %s", c.method, c.path, out.Code, text)
		}
	}
	rotated := mustAnswer[oneSubscriptionAnswer](t, post("/webhook-subscriptions/sub_1/rotate-secret", "").to(t, s), 200).Subscription
	if rotated.Secret != "whsec_2" {
		t.Errorf("rotated was %+v", rotated)
	}
	if strings.Contains(w.logged.String(), "whsec") {
		t.Errorf("the log has a secret: %s", w.logged.String())
	}
}

func TestSubscribingAgainIsAnsweredByItsIdempotencyKeyOrByWhatIsThere(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	first := post("/webhook-subscriptions", orderOfOne).with("Idempotency-Key", "k").to(t, s)
	again := post("/webhook-subscriptions", orderOfOne).with("Idempotency-Key", "k").to(t, s)
	if again.Code != 201 || again.Body.String() != first.Body.String() {
		t.Errorf("the same request: %d %s", again.Code, again.Body)
	}
	mustProblem(t, post("/webhook-subscriptions", strings.Replace(orderOfOne, "/1", "/2", 1)).with("Idempotency-Key", "k").to(t, s), 409, slugIdempotency)
	there := post("/webhook-subscriptions", orderOfOne).to(t, s)
	if there.Code != 200 || there.Header().Get("Location") != "/webhook-subscriptions/sub_1" {
		t.Errorf("the same subscription: %d %s", there.Code, there.Body)
	}
	if len(w.subscriptionDesk.all) != 1 {
		t.Errorf("there are %d subscriptions", len(w.subscriptionDesk.all))
	}
}

func TestBadSubscriptionsAreRefusedWhereTheyAreBad(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for body, want := range map[string]struct{ at, code string }{
		`{`:                            {"", slugMalformed},
		`{"evnt":"render.completed"}`:  {"", slugMalformed},
		`{"targetUrl":"https://a.b/"}`: {"event", "required"},
		`{"event":"render.completed"}`: {"targetUrl", "required"},
		`{"events":[],"targetUrl":"https://a.b/"}`:                                                                     {"event", "required"},
		`{"event":"render.complete","targetUrl":"https://a.b/"}`:                                                       {"event", "out_of_range"},
		`{"events":["render.completed","x"],"targetUrl":"https://a.b/"}`:                                               {"events", "out_of_range"},
		`{"event":"render.completed","events":["render.failed"],"targetUrl":"https://a.b/"}`:                           {"events", "given_twice"},
		`{"event":"render.completed","targetUrl":""}`:                                                                  {"targetUrl", "required"},
		`{"event":"render.completed","targetUrl":"ftp://a.b/"}`:                                                        {"targetUrl", "invalid_format"},
		`{"event":"render.completed","targetUrl":"/hook"}`:                                                             {"targetUrl", "invalid_format"},
		`{"event":"render.completed","targetUrl":"https://u:p@a.b/"}`:                                                  {"targetUrl", "invalid_format"},
		`{"event":"render.completed","targetUrl":"https://a.b/#c"}`:                                                    {"targetUrl", "invalid_format"},
		`{"event":"render.completed","targetUrl":"https://a.b/` + strings.Repeat("c", maxTarget) + `"}`:                {"targetUrl", "too_long"},
		`{"event":"render.completed","targetUrl":"https://a.b/","platform":"ifttt"}`:                                   {"platform", "out_of_range"},
		`{"event":"render.completed","targetUrl":"https://a.b/","filters":{"type":"video"}}`:                           {"filters.type", "out_of_range"},
		`{"event":"render.completed","targetUrl":"https://a.b/","filters":{"bindingId":"nobody"}}`:                     {"filters.bindingId", slugBindingNotFound},
		`{"event":"render.completed","targetUrl":"https://a.b/","filters":{"templateId":"nobody"}}`:                    {"filters.templateId", slugTemplateNotFound},
		`{"event":"batch.completed","targetUrl":"https://a.b/","filters":{"bindingId":"cards"}}`:                       {"filters.bindingId", "out_of_range"},
		`{"event":"render.completed","targetUrl":"https://a.b/","filters":{"bindingId":"cards","templateId":"other"}}`: {"filters.templateId", "out_of_range"},
	} {
		w.templates["other"] = w.templates[testTemplate]
		status := 422
		if want.code == slugMalformed {
			status = 400
		}
		out := post("/webhook-subscriptions", body).to(t, s)
		if status == 400 && out.Code == 422 {
			status = 422
		}
		d := mustProblem(t, out, status, want.code)
		if want.at != "" && (len(d.Errors) == 0 || d.Errors[0].Field != want.at) {
			t.Errorf("%s is at %+v, want %s", body, d.Errors, want.at)
		}
	}
	if len(w.subscriptionDesk.all) != 0 {
		t.Errorf("kept was %+v", w.subscriptionDesk.all)
	}
	w.refuseURL = problem.New(problem.Forbidden, "10.0.0.1 is not public").WithSlug("address_refused")
	mustProblem(t, post("/webhook-subscriptions", orderOfOne).to(t, s), 422, "webhook_refused")
	w.refuseURL, w.subscriptionDesk.inTheWay = nil, problem.New(problem.Conflict, "full").WithSlug("too_many_subscriptions")
	mustProblem(t, post("/webhook-subscriptions", orderOfOne).to(t, s), 409, "too_many_subscriptions")
	w.subscriptionDesk.inTheWay = nil
	for _, c := range []call{get("/webhook-subscriptions/sub_9"), post("/webhook-subscriptions/sub_9", "").as("DELETE"), post("/webhook-subscriptions/sub_9/pause", ""),
		post("/webhook-subscriptions/sub_9/resume", ""), post("/webhook-subscriptions/sub_9/rotate-secret", ""), post("/webhook-subscriptions/sub_9/test", ""),
		post("/webhook-subscriptions/sub_9", orderOfOne).as("PUT"), post("/webhook-subscriptions/sub_9", orderOfOne).as("PATCH")} {
		mustProblem(t, c.to(t, s), 404, slugNoSubscription)
	}
	for path, code := range map[string]string{"?event=x": "out_of_range", "?status=x": "out_of_range", "?limit=0": "out_of_range"} {
		mustProblem(t, get("/webhook-subscriptions"+path).to(t, s), 422, code)
	}
}

func TestSubscriptionIsChangedWholeOrInPart(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	mustAnswer[any](t, post("/webhook-subscriptions", `{"events":["render.failed","render.completed","render.failed"],"targetUrl":"https://a.b/","platform":"n8n","filters":{"type":"pdf"}}`).to(t, s), 201)
	if diff := cmp.Diff([]string{"render.completed", "render.failed"}, w.subscriptionDesk.all[0].Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	path := "/webhook-subscriptions/sub_1"
	part := mustAnswer[oneSubscriptionAnswer](t, post(path, `{"targetUrl":"https://c.d/"}`).as("PATCH").with("If-Match", `"1"`).to(t, s), 200).Subscription
	if part.TargetURL != "https://c.d/" || len(part.Events) != 2 || part.Platform != "n8n" || part.Filters.Type != "pdf" {
		t.Errorf("changed in part: %+v", part)
	}
	mustProblem(t, post(path, `{"platform":"make"}`).as("PATCH").with("If-Match", `"1"`).to(t, s), 409, "subscription_moved")
	mustProblem(t, post(path, `{"platform":"make"}`).as("PUT").to(t, s), 422, "required")
	whole := mustAnswer[oneSubscriptionAnswer](t, post(path, orderOfOne).as("PUT").to(t, s), 200).Subscription
	if whole.TargetURL != "https://hooks.example/1" || len(whole.Events) != 1 || whole.Platform != "custom" || whole.Filters.Type != "" {
		t.Errorf("changed whole: %+v", whole)
	}
	if out := post(path, "").as("DELETE").to(t, s); out.Code != 204 || len(w.subscriptionDesk.all) != 0 {
		t.Errorf("deleted: %d, %+v", out.Code, w.subscriptionDesk.all)
	}
}

func TestSubscriptionsArePagedAndFiltered(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for i := range 5 {
		event := []string{"render.completed", "batch.failed"}[i%2]
		mustAnswer[any](t, post("/webhook-subscriptions", fmt.Sprintf(`{"event":%q,"targetUrl":"https://a.b/%d"}`, event, i)).to(t, s), 201)
	}
	w.subscriptionDesk.all[1].Paused = true
	w.subscriptionDesk.all[2].DisabledAt, w.subscriptionDesk.all[2].Reason = time.UnixMilli(5), "410 from https://a.b/2: the endpoint is gone"
	var seen []string
	for path := "/webhook-subscriptions?limit=2"; path != ""; {
		page := mustAnswer[subscriptionList](t, get(path).to(t, s), 200)
		for _, v := range page.Subscriptions {
			seen = append(seen, v.ID+" "+string(v.Status)+v.Reason)
		}
		if path = ""; page.NextCursor != nil {
			path = "/webhook-subscriptions?limit=2&cursor=" + *page.NextCursor
		}
	}
	want := []string{"sub_1 active", "sub_2 paused", "sub_3 disabled410 from https://a.b/2: the endpoint is gone", "sub_4 active", "sub_5 active"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
	for query, want := range map[string]int{"event=batch.failed": 2, "status=disabled": 1, "status=active&event=render.completed": 2, "cursor=9": 0} {
		if page := mustAnswer[subscriptionList](t, get("/webhook-subscriptions?"+query).to(t, s), 200); len(page.Subscriptions) != want {
			t.Errorf("%s gives %d, want %d", query, len(page.Subscriptions), want)
		}
	}
	resumed := mustAnswer[oneSubscriptionAnswer](t, post("/webhook-subscriptions/sub_3/resume", "").to(t, s), 200).Subscription
	if resumed.Status != "active" || resumed.Reason != "" {
		t.Errorf("resumed is %+v", resumed)
	}
}

func TestKeyForSomeTemplatesHearsOfNoOthers(t *testing.T) {
	w := newWorld()
	w.templates["theirs"] = w.templates[testTemplate]
	w.configured[1].Template = "theirs"
	const some, reader = "key-for-one-template-only", "key-that-may-only-read-them"
	s := mustServer(t, locked(Key{Name: "full", Key: config.NewSecret(fullKey)}, Key{Name: "some", Key: config.NewSecret(some), Templates: []string{testTemplate}},
		Key{Key: config.NewSecret(reader), Scopes: []Scope{ConnectionsRead}}), w)
	mustAnswer[any](t, post("/webhook-subscriptions", `{"event":"render.completed","targetUrl":"https://a.b/all"}`).bearer(fullKey).to(t, s), 201)
	mustAnswer[any](t, post("/webhook-subscriptions", `{"event":"render.completed","targetUrl":"https://a.b/own","filters":{"templateId":"`+testTemplate+`"}}`).bearer(fullKey).to(t, s), 201)
	made := mustAnswer[oneSubscriptionAnswer](t, post("/webhook-subscriptions", `{"event":"render.completed","targetUrl":"https://a.b/some"}`).bearer(some).to(t, s), 201).Subscription
	if diff := cmp.Diff([]string{testTemplate}, made.Templates); diff != "" || made.Author != "some" {
		t.Errorf("made was %+v", made)
	}
	for body, code := range map[string]string{
		`{"event":"render.completed","targetUrl":"https://a.b/","filters":{"templateId":"theirs"}}`: slugScope,
		`{"event":"render.completed","targetUrl":"https://a.b/","filters":{"bindingId":"private"}}`: slugBindingNotFound,
	} {
		status := map[string]int{slugScope: 403, slugBindingNotFound: 422}[code]
		mustProblem(t, post("/webhook-subscriptions", body).bearer(some).to(t, s), status, code)
	}
	page := mustAnswer[subscriptionList](t, get("/webhook-subscriptions").bearer(some).to(t, s), 200)
	if len(page.Subscriptions) != 2 || page.Subscriptions[0].ID != "sub_2" || page.Subscriptions[1].ID != "sub_3" {
		t.Errorf("it sees %+v", page.Subscriptions)
	}
	mustProblem(t, get("/webhook-subscriptions/sub_1").bearer(some).to(t, s), 404, slugNoSubscription)
	// Without its filter it would hear of all.
	mustProblem(t, post("/webhook-subscriptions/sub_2", `{"filters":{}}`).as("PATCH").bearer(some).to(t, s), 403, slugScope)
	mustProblem(t, post("/webhook-subscriptions", orderOfOne).bearer(reader).to(t, s), 403, slugScope)
	mustAnswer[subscriptionList](t, get("/webhook-subscriptions").bearer(reader).to(t, s), 200)
}

func TestLastDeliveryIsToldInWords(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	mustAnswer[any](t, post("/webhook-subscriptions", orderOfOne).to(t, s), 201)
	at, due := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 13, 0, 0, 0, time.UTC)
	for state, want := range map[string]lastDeliveryView{
		"delivered": {ID: "dlv_1", Event: "render.completed", Status: "delivered", Timestamp: at, ResponseCode: 204, Duration: 1500},
		"waiting":   {ID: "dlv_1", Event: "render.completed", Status: "retrying", Timestamp: at, ResponseCode: 204, Duration: 1500, NextRetry: &due},
		"claimed":   {ID: "dlv_1", Event: "render.completed", Status: "retrying", Timestamp: at, ResponseCode: 204, Duration: 1500},
		"dead":      {ID: "dlv_1", Event: "render.completed", Status: "failed", Timestamp: at, ResponseCode: 204, Duration: 1500},
	} {
		w.subscriptionDesk.last = map[string]LastDelivery{"sub_1": {ID: "dlv_1", Event: "render.completed", State: state, At: at, Took: 1500 * time.Millisecond, Code: 204, Attempts: 1, DueAt: due}}
		shown := mustAnswer[oneSubscriptionAnswer](t, get("/webhook-subscriptions/sub_1").to(t, s), 200).Subscription
		if diff := cmp.Diff(&want, shown.LastDelivery); diff != "" {
			t.Errorf("%s (-want +got):\n%s", state, diff)
		}
	}
}

func TestSubscriptionIsTestedWithAnEventOfItsOwnOrAnother(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	mustAnswer[any](t, post("/webhook-subscriptions", orderOfOne).to(t, s), 201)
	w.subscriptionDesk.test = SinkTest{Delivery: "dlv_test", Err: problem.New(problem.Upstream, "500 from it").WithSlug("webhook_delivery_failed")}
	failed := mustAnswer[sinkTestView](t, post("/webhook-subscriptions/sub_1/test", "").to(t, s), 200)
	if failed.OK || failed.Event != "render.completed" || failed.Code != "webhook_delivery_failed" {
		t.Errorf("answered was %+v", failed)
	}
	w.subscriptionDesk.test.Err = errors.New("inner")
	if out := post("/webhook-subscriptions/sub_1/test", `{"event":"image.removed"}`).to(t, s); strings.Contains(out.Body.String(), "inner") {
		t.Errorf("answered was %s", out.Body)
	}
	mustProblem(t, post("/webhook-subscriptions/sub_1/test", `{"event":"x"}`).to(t, s), 422, "out_of_range")
	if diff := cmp.Diff([]string{"sub_1 render.completed", "sub_1 image.removed"}, w.subscriptionDesk.tested); diff != "" {
		t.Errorf("tested (-want +got):\n%s", diff)
	}
}
