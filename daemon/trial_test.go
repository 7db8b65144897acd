package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/api"
)

// A triedConnection is what a trial says.
type triedConnection struct {
	OK    bool
	Steps []struct {
		Name, Message, Hint, Code, Path string
		OK, Skipped                     bool
	}
	Columns, Key []string
	SampleRows   []map[string]any
	Test         *testedSink
}

// words are the steps as NAME, -NAME for one that failed, (NAME) for one that was skipped.
func (t triedConnection) words() string {
	var all []string
	for _, s := range t.Steps {
		word := s.Name
		switch {
		case s.Skipped:
			word = "(" + word + ")"
		case !s.OK:
			word = "-" + word
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

func (p *process) try(path, body string) (t triedConnection) {
	p.tb.Helper()
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, "POST", path, body)), &t); err != nil {
		p.tb.Fatal(err)
	}
	return t
}

func TestSourceIsTriedBeforeItIsKept(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	address := shop.server.URL
	for name, c := range map[string]struct{ body, words, says string }{
		"good":        {fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku"}`, address), "configuration addresses connection rows key", ""},
		"misspelt":    {fmt.Sprintf(`{"kind":"http","url":%q,"key":"skuu"}`, address), "configuration addresses connection rows -key", `there is no column "skuu"`},
		"no kind":     {`{"url":"https://shop.example"}`, "-configuration", "kind"},
		"of the file": {`{"kind":"file","path":"/etc/passwd"}`, "-configuration", "can only be defined in pictifyd.yaml"},
		"no address":  {`{"kind":"http","key":"id"}`, "-configuration", "url"},
		"unknown key": {fmt.Sprintf(`{"kind":"http","url":%q,"key":"id","colour":"red"}`, address), "-configuration", "colour"},
		"refused":     {`{"kind":"http","url":"http://169.254.169.254/latest","key":"id"}`, "configuration -addresses", "169.254.169.254"},
		"no rows":     {fmt.Sprintf(`{"kind":"http","url":%q,"rows":"$.none","key":"id"}`, address), "configuration addresses -connection", "none"},
		"sent":        {`{"kind":"webhook","path":"crm","secret":"whsec_c2VjcmV0LW9mLXRoZS1zaG9wLTE=","key":"id"}`, "configuration addresses (connection)", "sent to it"},
	} {
		got := p.try("/sources/test", c.body)
		if got.words() != c.words || got.OK != !strings.Contains(c.words, "-") {
			t.Errorf("%s: the steps are %q, ok %v, want %q: %+v", name, got.words(), got.OK, c.words, got.Steps)
			continue
		}
		if last := got.Steps[len(got.Steps)-1]; !strings.Contains(last.Message+last.Path, c.says) {
			t.Errorf("%s: it says %+v, want %q", name, last, c.says)
		}
	}
	good := p.try("/sources/test", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku"}`, address))
	if len(good.SampleRows) != 1 || good.SampleRows[0]["sku"] != "A" || !slices.Contains(good.Columns, "sku") || len(good.Key) != 1 {
		t.Errorf("the sample is %+v with %q", good.SampleRows, good.Columns)
	}
	if all := p.mustSend(http.StatusOK, "GET", "/sources", ""); strings.Contains(all, `"http"`) {
		t.Errorf("what was tried is kept: %s", all)
	}
	p.mustSend(http.StatusUnprocessableEntity, "POST", "/sources/test", "[1]")
}

func TestTrialOfWhatThereIs(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	if got := p.try("/sources/shop/test", ""); !got.OK || len(got.SampleRows) != 1 {
		t.Errorf("the source that there is: %+v", got)
	}
	p.mustSend(http.StatusNotFound, "POST", "/sources/none/test", "")
}

// Whoever may try a connection must not be able to send kept secrets elsewhere.
func TestTrialSendsKeptSecretsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	p := s.start()
	var heard []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { heard = append(heard, r.URL.String()) }))
	t.Cleanup(thief.Close)
	p.mustSend(201, "POST", "/sinks", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q,"secret":"whsec_c2VjcmV0LW9mLXRoZS1zaG9wLTE="}`, s.receiver.server.URL))
	got := p.try("/sinks/test", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q,"secret":"***"}`, thief.URL))
	if got.OK || got.words() != "-configuration" || len(heard) != 0 {
		t.Errorf("the trial is %+v, and the thief heard %q", got, heard)
	}
	same := p.try("/sinks/test", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q,"secret":"***"}`, s.receiver.server.URL))
	if !same.OK || same.words() != "configuration addresses connection" || same.Test == nil {
		t.Errorf("at its own address the trial is %+v", same)
	}
}

func TestKindsHaveTheSchemaOfAForm(t *testing.T) {
	kinds, err := kindsOfConnections()
	if err != nil {
		t.Fatal(err)
	}
	if len(kinds.Sources) != len(Connectors()) || len(kinds.Sinks) != len(Sinks()) {
		t.Errorf("there are %d and %d kinds", len(kinds.Sources), len(kinds.Sinks))
	}
	for _, k := range slices.Concat(kinds.Sources, kinds.Sinks) {
		var form struct {
			Properties map[string]map[string]any
			Required   []string
		}
		if err := json.Unmarshal(k.Schema, &form); err != nil {
			t.Fatal(err)
		}
		if form.Properties["kind"]["const"] != k.Kind || !slices.Contains(form.Required, "kind") || k.Summary == "" || !strings.Contains(string(k.Schema[:80]), `"kind"`) && !strings.Contains(string(k.Schema), `"properties":{"kind"`) {
			t.Errorf("%s has no kind before all else: %.200s", k.Kind, k.Schema)
		}
		for name := range form.Properties {
			if strings.Contains(name, "_") {
				t.Errorf("%s: %s is not as the API takes it", k.Kind, name)
			}
		}
	}
	i := slices.IndexFunc(kinds.Sinks, func(k api.Kind) bool { return k.Kind == "webhook" })
	var hook struct {
		Properties map[string]map[string]any
		Required   []string
	}
	if err := json.Unmarshal(kinds.Sinks[i].Schema, &hook); err != nil {
		t.Fatal(err)
	}
	if s := hook.Properties["secret"]; s["writeOnly"] != true || s["format"] != "password" {
		t.Errorf("a secret is %v", s)
	}
	if !slices.Contains(hook.Required, "url") {
		t.Errorf("required is %q, want the url too", hook.Required)
	}
}
