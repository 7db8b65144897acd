package webhook_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/webhook"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// take sends a genuine call to a source that c is made by.
func take(t *testing.T, change func(c *webhook.Config), h http.Header, body string) (connectors.Message, error) {
	t.Helper()
	c := crm()
	if change != nil {
		change(c)
	}
	if h == nil {
		h = http.Header{}
	}
	sign(t, h, "msg_1", []byte(body))
	return send(t, open(t, c), h, []byte(body))
}

// told is what a message says, in short.
func told(m connectors.Message) []string {
	var all []string
	for _, r := range m.Rows {
		text := fmt.Sprintf("%s %v", r.Position, r.Key)
		if r.Version != 0 {
			text += fmt.Sprint(" v", r.Version)
		}
		if r.Deleted {
			text += " deleted"
		}
		all = append(all, text)
	}
	for _, f := range m.Faults {
		all = append(all, f.Position+" "+f.Reason+": "+f.Detail)
	}
	return all
}

func TestRowsOfACall(t *testing.T) {
	ndjson := http.Header{"Content-Type": {"application/x-ndjson; charset=utf-8"}}
	for name, c := range map[string]struct {
		change func(c *webhook.Config)
		header http.Header
		body   string
		want   []string
	}{
		"array":         {nil, nil, `[{"id":1},{"id":"2"}]`, []string{"$[0] [1]", "$[1] [2]"}},
		"one object":    {nil, nil, `{"id":1}`, []string{"$ [1]"}},
		"none":          {nil, nil, `[]`, nil},
		"at a path":     {func(c *webhook.Config) { c.Rows = "$.a['b c'][0]" }, nil, `{"a":{"b c":[[{"id":1}]]}}`, []string{"$.a['b c'][0][0] [1]"}},
		"one at a path": {func(c *webhook.Config) { c.Rows = "$.data.object" }, nil, `{"data":{"object":{"id":"cus_1"}}}`, []string{"$.data.object [cus_1]"}},
		"no key":        {nil, nil, `{"name":"x"}`, []string{"$ [<nil>]"}}, // bindings quarantines it
		"two columns":   {func(c *webhook.Config) { c.Key = config.Strings{"shop", "id"} }, nil, `{"id":1,"shop":"ä/ö"}`, []string{"$ [ä/ö 1]"}},
		"the only row":  {func(c *webhook.Config) { c.Key, c.One = nil, "current" }, nil, `{"id":1}`, []string{"$ [current]"}},
		"no objects":    {nil, nil, `[{"id":1},7,null,[{}]]`, []string{"$[0] [1]", "$[1] bad_record: a number, not an object", "$[2] bad_record: null, not an object", "$[3] bad_record: an array, not an object"}},
		"byte mark":     {nil, nil, "\ufeff{\"id\":1}", []string{"$ [1]"}},
		"other JSON":    {nil, http.Header{"Content-Type": {"application/cloudevents+json"}}, `{"id":1}`, []string{"$ [1]"}},

		"lines": {nil, ndjson, "{\"id\":1}\n\n{\"id\":\n{\"id\":2}\n7\n", []string{"line 1 $ [1]", "line 4 $ [2]", "line 3 bad_record: not JSON: unexpected EOF", "line 5 bad_record: a number, not an object"}},
		"lines at a path": {func(c *webhook.Config) { c.Rows = "$.r" }, ndjson, "{\"r\":{\"id\":1}}\n{\"r\":[{\"id\":2},3]}\n{\"x\":1}\n",
			[]string{"line 1 $.r [1]", "line 2 $.r[0] [2]", "line 2 $.r[1] bad_record: a number, not an object", `line 3 bad_record: there is no $.r in the document; $ has "x"`}},

		"versions": {func(c *webhook.Config) { c.Version = "updated_at" }, nil,
			`[{"id":1,"updated_at":12},{"id":2,"updated_at":"13"},{"id":3,"updated_at":"2026-01-01T00:00:00.250Z"},{"id":4},{"id":5,"updated_at":1.5},{"id":6,"updated_at":0},{"id":7,"updated_at":"soon"},{"id":8,"updated_at":4611686018427387904}]`,
			[]string{"$[0] [1] v12", "$[1] [2] v13", "$[2] [3] v1767225600250",
				"$[3] bad_version: version: the row has none", "$[4] bad_version: version: 1.5 is not a whole number from 1 to 2^62",
				"$[5] bad_version: version: 0 is not a whole number from 1 to 2^62", `$[6] bad_version: version: "soon" is neither a whole number nor a time`,
				"$[7] bad_version: version: 4611686018427387904 is not a whole number from 1 to 2^62"}},
		"version of the call": {func(c *webhook.Config) { c.Version, c.Rows = "body.created", "$.data" }, nil, `{"created":7,"data":[{"id":1},{"id":2}]}`,
			[]string{"$.data[0] [1] v7", "$.data[1] [2] v7"}},
		"deleted by its row": {func(c *webhook.Config) { c.Deleted = `op == "d"` }, nil, `[{"id":1,"op":"d"},{"id":2,"op":"u"},{"id":3}]`,
			[]string{"$[0] [1] deleted", "$[1] [2]", "$[2] [3]"}},
		"deleted by the call": {func(c *webhook.Config) { c.Deleted, c.Rows = `body.type == "customer.deleted"`, "$.data.object" }, nil,
			`{"type":"customer.deleted","data":{"object":{"id":"cus_1"}}}`, []string{"$.data.object [cus_1] deleted"}},
		"deleted by a header":  {func(c *webhook.Config) { c.Deleted = `headers["x-topic"] == "products/delete"` }, http.Header{"X-Topic": {"products/delete"}}, `{"id":1}`, []string{"$ [1] deleted"}},
		"a column called body": {func(c *webhook.Config) { c.Deleted = `row.body == "gone"` }, nil, `{"id":1,"body":"gone"}`, []string{"$ [1] deleted"}},
		"deleted that fails":   {func(c *webhook.Config) { c.Deleted = `at * 1 < 5` }, nil, `[{"id":1,"at":"x"},{"id":2,"at":4}]`, []string{"$[1] [2] deleted", "$[0] bad_record: deleted: "}},

		"of another kind": {func(c *webhook.Config) { c.When = `headers["x-event"] == "issues"`; c.Rows = "$.issue" }, http.Header{"X-Event": {"ping"}}, `{"zen":"x"}`, nil},
		"of the kind":     {func(c *webhook.Config) { c.When = `body.type in ["a", "b"]` }, nil, `{"id":1,"type":"b"}`, []string{"$ [1]"}},
	} {
		m, err := take(t, c.change, c.header, c.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := told(m)
		for i := range got { // what an operator says of its operands is its own matter
			if before, _, ok := strings.Cut(got[i], "deleted: "); ok {
				got[i] = before + "deleted: "
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if m.ID != "msg_1" || m.Wakes {
			t.Errorf("%s: id %q, wakes %v", name, m.ID, m.Wakes)
		}
	}
}

func packedBody(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPackedBodyIsSignedAsItIsSent(t *testing.T) {
	m, err := take(t, nil, http.Header{"Content-Encoding": {"gzip"}}, packedBody(t, `{"id":"a"}`))
	if err != nil || len(m.Rows) != 1 {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestCallThatCannotBeReadTakesNothing(t *testing.T) {
	gzipped := http.Header{"Content-Encoding": {"gzip"}}
	large := `{"id":"a","x":"` + strings.Repeat("x", 10<<20) + `"}`
	for name, c := range map[string]struct {
		header http.Header
		body   string
		code   problem.Code
		slug   string
	}{
		"form":                {http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "payload=%7B%7D", problem.Unsupported, "unsupported_media_type"},
		"text":                {http.Header{"Content-Type": {"text/plain"}}, `{"id":1}`, problem.Unsupported, "unsupported_media_type"},
		"no type at all":      {http.Header{"Content-Type": {";;"}}, `{"id":1}`, problem.Unsupported, "unsupported_media_type"},
		"zstd":                {http.Header{"Content-Encoding": {"zstd"}}, `{"id":1}`, problem.Unsupported, "unsupported_encoding"},
		"packed twice":        {http.Header{"Content-Encoding": {"gzip, gzip"}}, `{"id":1}`, problem.Unsupported, "unsupported_encoding"},
		"10 MB":               {nil, large, problem.TooLarge, "hook_too_large"},
		"bomb":                {gzipped, packedBody(t, large), problem.TooLarge, "hook_too_large"},
		"not gzip":            {gzipped, `{"id":1}`, problem.Invalid, "malformed_body"},
		"gzip that breaks":    {gzipped, packedBody(t, `{"id":1}`)[:20], problem.Invalid, "malformed_body"},
		"not JSON":            {nil, `{"id":`, problem.Invalid, "malformed_body"},
		"nested without end":  {nil, strings.Repeat("[", 100_000), problem.Invalid, "malformed_body"},
		"last line breaks":    {http.Header{"Content-Type": {"application/x-ndjson"}}, "{\"id\":1}\n{\"id\":", problem.Invalid, "malformed_body"},
		"rows are elsewhere":  {nil, `{"items":[]}`, problem.Invalid, "rows_not_found"},
		"rows are no objects": {nil, `{"records":7}`, problem.Invalid, "rows_not_found"},
	} {
		m, err := take(t, func(c *webhook.Config) {
			if strings.HasPrefix(name, "rows") {
				c.Rows = "$.records"
			}
		}, c.header, c.body)
		var slug string
		if err != nil {
			slug = problem.All(err)[0].Slug
		}
		if problem.CodeOf(err) != c.code || slug != c.slug || len(m.Rows)+len(m.Faults) > 0 {
			t.Errorf("%s: %+v, %v; want no rows and a problem %s, %s", name, m, err, c.code, c.slug)
		}
	}
}

func TestIDThatIsNoNameIsRefused(t *testing.T) {
	for name, id := range map[string]string{"long": strings.Repeat("x", 256), "not UTF-8": "a\xff", "control": "a\x01b"} {
		h := http.Header{}
		sign(t, h, id, []byte(`[]`))
		if _, err := send(t, open(t, crm()), h, []byte(`[]`)); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCallThatHasAnotherSourceRead(t *testing.T) {
	for name, c := range map[string]struct {
		when, body string
		wakes      bool
	}{
		"empty body": {"", "", true}, "any body": {"", "<xml/>", true},
		"meant": {`body.ref == "main"`, `{"ref":"main"}`, true}, "not meant": {`body.ref == "main"`, `{"ref":"x"}`, false},
	} {
		m, err := take(t, func(cfg *webhook.Config) { cfg.Refresh, cfg.Key, cfg.When = "shop", nil, c.when },
			http.Header{"Content-Type": {"text/plain"}}, c.body)
		if err != nil || m.Wakes != c.wakes || m.ID != "msg_1" || len(m.Rows) > 0 {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestOpenSourceTakesAnyCall(t *testing.T) {
	c := crm()
	c.Secret, c.Open = nil, true
	m, err := send(t, open(t, c), http.Header{}, []byte(`{"id":1}`))
	if err != nil || len(m.Rows) != 1 || m.ID != "" || !c.Unguarded() {
		t.Errorf("got %+v, %v", m, err)
	}
}

func FuzzStripeHeader(f *testing.F) {
	f.Add("t=1,v1=00")
	f.Add("v1=,t=,,=")
	f.Fuzz(func(t *testing.T, header string) {
		c := verified(webhook.Verify{Stripe: secrets("whsec_stripe")})
		m, err := send(t, open(t, c), http.Header{"Stripe-Signature": {header}}, []byte(`{"id":"evt_1"}`))
		if err == nil {
			t.Fatalf("%q is taken: %+v", header, m)
		}
	})
}
