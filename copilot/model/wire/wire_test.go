package wire

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot/model"
)

func TestWaitIsReadInEveryForm(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
		said        bool
	}{
		{"Retry-After", "7", 7 * time.Second, true},
		{"Retry-After", "0.5", 500 * time.Millisecond, true},
		{"Retry-After", now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second, true},
		{"Retry-After", now.Add(-time.Hour).Format(http.TimeFormat), 0, true},
		{"Retry-After", "1e300", time.Hour, true},
		{"Retry-After-Ms", "250", 250 * time.Millisecond, true},
		{"Retry-After", "-1", 0, false},
		{"Retry-After", "NaN", 0, false},
		{"Retry-After", "soon", 0, false},
		{"Other", "7", 0, false},
	} {
		header := http.Header{}
		header.Set(c.name, c.value)
		if got, said := retryAfter(header, now); got != c.want || said != c.said {
			t.Errorf("%s: %s = %v, %v; want %v, %v", c.name, c.value, got, said, c.want, c.said)
		}
	}
}

func TestIDsAreUniqueAndOfTheFormThatEveryServerTakes(t *testing.T) {
	ids := NewIDs([]model.Message{{Calls: []model.Call{{ID: "c00000002"}, {ID: "x"}}}})
	seen := map[string]bool{"c00000002": true, "x": true}
	for _, id := range []string{"", "x", "y", "y", "", strings.Repeat("z", 200)} {
		got := ids.Unique(id)
		if seen[got] {
			t.Errorf("%q comes twice", got)
		}
		seen[got] = true
		if id != "y" && len(got) != 9 {
			t.Errorf("%q is made of %q; want nine letters and digits", got, id)
		}
	}
	if !seen["y"] {
		t.Error("an id that was unique was changed")
	}
}

func TestArgumentsAreAnObject(t *testing.T) {
	for raw, want := range map[string]string{
		`{"a":1}`: `{"a":1}`, "": "{}", "  ": "{}", "[1]": `{"malformed_arguments":"[1]"}`, "null": `{"malformed_arguments":"null"}`, `{"a":`: `{"malformed_arguments":"{\"a\":"}`,
	} {
		if got := string(Arguments(json.RawMessage(raw))); got != want {
			t.Errorf("%q = %s, want %s", raw, got, want)
		}
	}
	long := Arguments(json.RawMessage(strings.Repeat("ü", 5000)))
	if len(long) > 2100 || !json.Valid(long) {
		t.Errorf("%d bytes of what was no JSON", len(long))
	}
}

func TestHalfCallsAreLeftOut(t *testing.T) {
	whole := model.Call{Name: "a", Arguments: []byte(`{"x":1}`)}
	got := Whole([]model.Call{whole, {Name: "b", Arguments: []byte(`{"x":`)}, {Name: "c"}, {Name: "d", Arguments: []byte("null")}})
	if d := cmp.Diff([]model.Call{whole}, got); d != "" {
		t.Errorf("whole (-want +got):\n%s", d)
	}
}

func TestErrorsAreReadInEveryForm(t *testing.T) {
	for body, want := range map[string]Said{
		`{"error":{"message":"m","type":"t","code":7}}`: {"t 7", "m"},
		`{"error":"m"}`: {"", "m"},
		`{"object":"error","message":"m","type":"t"}`: {"t", "m"},
		`{"detail":[{"msg":"m"}]}`:                    {"", `[{"msg":"m"}]`},
		"<html><body>502":                             {"", "a page of HTML"},
		"plain ":                                      {"", "plain"},
		"":                                            {},
	} {
		if d := cmp.Diff(want, ReadFault([]byte(body))); d != "" {
			t.Errorf("%s (-want +got):\n%s", body, d)
		}
	}
}

func TestKeyIsScrubbedBeforeATextIsCut(t *testing.T) {
	e := Endpoint{Key: "sk-0123456789/abcdef"}
	for _, text := range []string{strings.Repeat("x", 290) + e.Key, "a " + e.Key + " b", "?key=sk-0123456789%2Fabcdef"} {
		if got := e.Scrub(text); strings.Contains(got, "sk-0123") || len([]rune(got)) > 301 {
			t.Errorf("%s = %s", text, got)
		}
	}
	if got := (Endpoint{Key: "none"}).Scrub("none\nat\x00all"); got != "none at all" {
		t.Errorf("a word that is no secret: %q", got)
	}
}
