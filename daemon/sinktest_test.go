package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/pictifyd/pictifyd/internal/signing"
)

// A testedSink is what a test of a sink says.
type testedSink struct {
	OK, Probed              bool
	Event, DeliveryID, Code string
	Request                 struct {
		Method, URL, Body string
		Headers           map[string]string
	}
	Answer struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

func (p *process) test(sink, body string) (t testedSink) {
	p.tb.Helper()
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, "POST", "/sinks/"+sink+"/test", body)), &t); err != nil {
		p.tb.Fatal(err)
	}
	return t
}

// Who debugs his verification sees the bytes that were signed, and with what.
func TestSinkTestOfARealRowShowsWhatWasSigned(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the delivery", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "the signature is wrong")
	}))
	t.Cleanup(answers.Close)
	secrets := []string{signing.NewSecret(), signing.NewSecret()}
	p.mustSend(201, "POST", "/sinks", fmt.Sprintf(`{"name":"signed","kind":"webhook","url":"%s/hook?token=hunter2","secrets":[%q,%q],"includeRow":true}`, answers.URL, secrets[0], secrets[1]))
	got := p.test("signed", `{"binding":"cards","key":"A"}`)
	if got.OK || got.Event != "render.completed" || got.Answer.Status != 403 || got.Answer.Body != "the signature is wrong" ||
		got.Request.Method != http.MethodPost || got.Request.URL != answers.URL+"/hook" {
		t.Errorf("the test says %+v", got)
	}
	headers := http.Header{}
	for name, value := range got.Request.Headers {
		headers.Set(name, value)
	}
	for _, secret := range secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := hook.Verify([]byte(got.Request.Body), headers); err != nil {
			t.Errorf("what is shown does not verify: %v", err)
		}
	}
	var sent struct {
		Data struct {
			Key, URL string
			Row      map[string]any
			Outputs  []struct{ LatestURL string }
		}
	}
	if err := json.Unmarshal([]byte(got.Request.Body), &sent); err != nil || sent.Data.Key != "A" || sent.Data.Row["name"] != "Mug" {
		t.Errorf("sent %s, %v", got.Request.Body, err)
	}
	for _, address := range []string{sent.Data.URL, sent.Data.Outputs[0].LatestURL} {
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", address, res.StatusCode)
		}
	}
	if !strings.Contains(sent.Data.Outputs[0].LatestURL, "/b/cards/A.png") {
		t.Errorf("the newest picture is at %s", sent.Data.Outputs[0].LatestURL)
	}

	var row struct {
		Row struct{ Deliveries []struct{ Sink string } }
	}
	if p.get("/bindings/cards/rows/A", &row); len(row.Row.Deliveries) != 1 {
		t.Errorf("the test is in the outbox: %+v", row.Row.Deliveries)
	}
	p.mustSend(409, "POST", "/sinks/signed/test", `{"binding":"cards","key":"A","event":"image.removed"}`)
	p.mustSend(404, "POST", "/sinks/signed/test", `{"binding":"cards","key":"none"}`)
	p.mustSend(404, "POST", "/sinks/signed/test", `{"binding":"none","key":"A"}`)
	p.mustSend(422, "POST", "/sinks/signed/test", `{"event":"batch.completed"}`)
}

// A made-up row would stay in somebody's CRM.
func TestSinkTestMakesUpNoRowWhereItWouldStay(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the delivery", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	var heard []string
	crm := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard = append(heard, r.Method+" "+r.RequestURI+" "+string(body))
	}))
	t.Cleanup(crm.Close)
	p.mustSend(201, "POST", "/sinks", fmt.Sprintf(`{"name":"crm","kind":"http","method":"PATCH","url":"%s/c/{{ key }}","json":{"name":"row.name"}}`, crm.URL))
	if got := p.test("crm", ""); !got.OK || !got.Probed || got.DeliveryID != "" {
		t.Errorf("without a row: %+v", got)
	}
	if got := p.test("crm", `{"binding":"cards","key":"A"}`); !got.OK || got.Probed || got.DeliveryID == "" {
		t.Errorf("with a row: %+v", got)
	}
	if want := `[HEAD /  PATCH /c/A {"name":"Mug"}]`; fmt.Sprint(heard) != want {
		t.Errorf("heard %v, want %s", heard, want)
	}
}
