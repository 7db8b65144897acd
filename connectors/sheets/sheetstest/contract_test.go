package sheetstest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A pair is one request and the answer that Google documents for it.
type pair struct {
	Name    string `json:"name"`
	Request struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Header string          `json:"header"` // "Name: value"
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Answer struct {
		Status int    `json:"status"`
		Of     string `json:"of"` // the method whose description it has to fit; "" for an error
		Body   any    `json:"body"`
		// After reads back what the request has written.
		After     string `json:"after"`
		AfterBody any    `json:"afterBody"`
	} `json:"answer"`
}

// newContractBook is the spreadsheet that the pairs are about.
func newContractBook(tb testing.TB, o Options) (e *Emulator, address string) {
	tb.Helper()
	o.Now = func() time.Time { return time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC) }
	e = New(o)
	b := e.Add("BOOK", "Shop")
	s := b.AddSheet("Products",
		[]any{"sku", "Name", "Price", "Since", "On", "Note"},
		[]any{"0001", "Chair", 19.9, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), true},
		[]any{"0002", "Table", 1250, time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC), false, "last one"},
		[]any{},
		[]any{"0004", nil, Formula{"=A1/0", Error("#DIV/0!")}},
	)
	s.Format("C2:C3", Format{Type: "CURRENCY"})
	s.Format("H9", Format{Type: "NUMBER"})
	b.AddSheet("Price list", []any{"a", "b"}, []any{Formula{"=1+1", 2}}).Protect("C1:C")
	return e, Serve(tb, e)
}

func TestAnswersAreAsDocumented(t *testing.T) {
	text, err := os.ReadFile("testdata/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []pair
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&pairs); err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, p := range pairs {
		t.Run(p.Name, func(t *testing.T) {
			_, address := newContractBook(t, Options{Anonymous: true})
			status, body := ask(t, p.Request.Method, address+p.Request.Path, p.Request.Header, p.Request.Body)
			if status != p.Answer.Status {
				t.Errorf("status %d, want %d: %v", status, p.Answer.Status, body)
			}
			if diff := cmp.Diff(p.Answer.Body, body); diff != "" {
				t.Errorf("(-documented +answered):\n%s", diff)
			}
			if p.Answer.Of != "" {
				covered[p.Answer.Of] = true
				for _, bad := range judge(t, p.Answer.Of, body) {
					t.Error(bad)
				}
			}
			if p.Answer.After != "" {
				_, after := ask(t, http.MethodGet, address+p.Answer.After, "", nil)
				if diff := cmp.Diff(p.Answer.AfterBody, after); diff != "" {
					t.Errorf("afterwards (-documented +answered):\n%s", diff)
				}
			}
		})
	}
	for _, r := range routes {
		if !covered[r.name] {
			t.Errorf("no pair is about %s", r.name)
		}
	}
}

func ask(tb testing.TB, method, address, header string, body []byte) (int, any) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var answer any
	if err := json.Unmarshal(text, &answer); err != nil {
		answer = string(text)
	}
	return resp.StatusCode, answer
}

func TestWhoMayReadWhat(t *testing.T) {
	e := New(Options{Disabled: map[string]bool{"drive": true}})
	b := e.Add("BOOK", "Shop")
	b.AddSheet("Products", []any{"sku"})
	address := Serve(t, e)
	key := e.Key("shop")
	for _, test := range []struct {
		name, path, header string
		public             bool
		status             int
		words              string
	}{
		{"nobody", "/v4/spreadsheets/BOOK", "", true, 403, "unregistered callers"},
		{"a key that is none", "/v4/spreadsheets/BOOK?key=x", "", true, 400, "API key not valid"},
		{"a token that is none", "/v4/spreadsheets/BOOK", "Authorization: Bearer x", true, 401, "UNAUTHENTICATED"},
		{"a key, not public", "/v4/spreadsheets/BOOK?key=" + key, "", false, 403, "PERMISSION_DENIED"},
		{"a key, public", "/v4/spreadsheets/BOOK?key=" + key, "", true, 200, "BOOK"},
		{"a key in a header", "/v4/spreadsheets/BOOK", "X-Goog-Api-Key: " + key, true, 200, "BOOK"},
		{"a service that is not enabled", "/drive/v3/files/BOOK?key=" + key, "", true, 403, "has not been used in project"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.edit(func() { b.public = test.public })
			status, body := ask(t, http.MethodGet, address+test.path, test.header, nil)
			text, _ := json.Marshal(body)
			if status != test.status || !strings.Contains(string(text), test.words) {
				t.Errorf("%d %s, want %d with %q", status, text, test.status, test.words)
			}
		})
	}
}

func TestQuotasAreOfEachMinute(t *testing.T) {
	now := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	e := New(Options{Anonymous: true, Now: func() time.Time { return now }, Quota: Quota{ReadsPerUser: 2, WritesPerUser: 1}})
	e.Add("BOOK", "Shop").AddSheet("Products", []any{"sku"})
	address := Serve(t, e)
	statuses := func(n int) (all []int) {
		for range n {
			status, _ := ask(t, http.MethodGet, address+"/v4/spreadsheets/BOOK/values/Products", "", nil)
			all = append(all, status)
		}
		return all
	}
	if diff := cmp.Diff([]int{200, 200, 429}, statuses(3)); diff != "" {
		t.Error(diff)
	}
	// Writes have a quota of their own.
	if status, body := ask(t, http.MethodPost, address+"/v4/spreadsheets/BOOK/values/Products:clear", "", nil); status != 200 {
		t.Errorf("%d %v", status, body)
	}
	_, body := ask(t, http.MethodPost, address+"/v4/spreadsheets/BOOK/values/Products:clear", "", nil)
	want := map[string]any{"error": map[string]any{"code": 429.0, "status": "RESOURCE_EXHAUSTED"}}
	if diff := cmp.Diff(want, body, cmpopts.IgnoreMapEntries(func(k string, _ any) bool {
		return k == "message" || k == "errors" || k == "details"
	})); diff != "" {
		t.Error(diff)
	}
	now = now.Add(time.Minute)
	if diff := cmp.Diff([]int{200, 200, 429}, statuses(3)); diff != "" {
		t.Error(diff)
	}
}

func TestACSVIsTheRowsOfASheet(t *testing.T) {
	rows, err := ReadCSV(strings.NewReader("sku,price,since,at,on\n007,19.9,2026-03-01,15:04:05,TRUE\n8,1e3,,\"a,b\",-3\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{
		{"sku", "price", "since", "at", "on"},
		{"007", 19.9, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "15:04:05", "TRUE"},
		{8.0, "1e3", nil, "a,b", -3.0},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestSerialsAreDaysSinceTheEndOf1899(t *testing.T) {
	for serial, want := range map[float64]string{
		0: "1899-12-30T00:00:00Z", 1: "1899-12-31T00:00:00Z", 2: "1900-01-01T00:00:00Z", 61: "1900-03-01T00:00:00Z",
		46082.75: "2026-03-01T18:00:00Z", -1.5: "1899-12-28T12:00:00Z",
	} {
		if got := momentOf(serial).Format(time.RFC3339); got != want {
			t.Errorf("%v is %s, want %s", serial, got, want)
		}
		if back := Serial(momentOf(serial)); back != serial {
			t.Errorf("%v comes back as %v", serial, back)
		}
	}
}
