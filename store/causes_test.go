package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
)

func TestWhatDiffersIsLeftOutOfAMessage(t *testing.T) {
	for message, want := range map[string]string{
		"503 from https://shop.example/hooks/images: \"down for \\\"cleaning\\\" until 14:00\"":      "# from https://shop.example: …",
		"503 from https://shop.example/hooks/other?token=x: \"back soon\"":                           "# from https://shop.example: …",
		"dial tcp 10.0.0.7:443: connect: connection refused":                                         "dial tcp #: connect: connection refused",
		"read tcp 127.0.0.1:43122->127.0.0.1:9000: read: connection reset by peer":                   "read tcp #: read: connection reset by peer",
		"dial tcp [2001:db8::1]:443: i/o timeout":                                                    "dial tcp [#]#: i/o timeout",
		"lookup shop.example: no such host":                                                          "lookup shop.example: no such host",
		"no answer within 15s from https://user:pw@shop.example/a/b":                                 "no answer within # from https://shop.example",
		`table "public.products" has no row "SKU-1"`:                                                 "table … has no row …",
		"the row SKU-1 is not there":                                                                 "the row # is not there",
		"no row 7, 8, 9 and 10 in public.products":                                                   "no row # in public.products",
		"no rows 'a', 'b' or 'c'":                                                                    "no rows …",
		"it doesn't fit, and can't be made":                                                          "it doesn't fit, and can't be made",
		"“Größe 42” is not «da»":                                                                     "… is not …",
		"request 0f8fad5b-d9cb-469f-a165-70867728950e failed":                                        "request # failed",
		"object deadbeefcafe is missing":                                                             "object # is missing",
		"delivery dlv_pxyududqudqbtcmqhxkdsf was refused":                                            "delivery # was refused",
		"token kXhGqTzRwVbNmLpQ is not known":                                                        "token # is not known",
		"write to ada.lovelace@example.com failed":                                                   "write to # failed",
		"since 2026-05-04T12:00:00+02:00 nobody answers":                                             "since # nobody answers",
		"x509: certificate signed by unknown authority":                                              "#: certificate signed by unknown authority",
		`500 from https://a.example: "cut off in the mid`:                                            "# from https://a.example: …",
		"wrong_type: internationalization of misunderstandings":                                      "wrong_type: internationalization of misunderstandings",
		"a value that is \n\t far   too wide":                                                        "a value that is far too wide",
		"json: cannot unmarshal string into Go struct field Answer.rows of type map[string]main.Row": "json: cannot unmarshal string into Go struct field Answer.rows of type map[string]main.Row",
		"Zeile ４２ fehlt":                                                                             "Zeile # fehlt",
		"":                                                                                           "",
	} {
		if got := sameWords(message); got != want {
			t.Errorf("sameWords(%q) = %q, want %q", message, got, want)
		}
	}
}

func TestCauseTellsErrorsApart(t *testing.T) {
	down := func(key string) error {
		return problem.New(problem.Upstream, "503 from https://shop.example/%s: %q", key, "no "+key).WithSlug("delivery_failed")
	}
	same := causeOf("hook", sink.Receipt{Status: 503}, down("a"))
	for name, c := range map[string]struct {
		sink   string
		status int
		err    error
		isSame bool
	}{
		"of another row":            {"hook", 503, down("b"), true},
		"wrapped and marked":        {"hook", 503, retry.Permanent(fmt.Errorf("tell: %w", down("c"))), true},
		"with another answer":       {"hook", 500, down("a"), false},
		"of another sink":           {"other", 503, down("a"), false},
		"of another kind":           {"hook", 503, problem.New(problem.Upstream, "503 from https://shop.example/a: %q", "no a").WithSlug("endpoint_gone"), false},
		"with other words":          {"hook", 503, problem.New(problem.Upstream, "503 at https://shop.example").WithSlug("delivery_failed"), false},
		"without a kind of its own": {"hook", 503, errors.New("503 from https://shop.example: …"), false},
	} {
		if got := causeOf(c.sink, sink.Receipt{Status: c.status}, c.err); (got == same) != c.isSame {
			t.Errorf("%s: the same is %v, want %v", name, got == same, c.isSame)
		}
	}
	if a, b := causeOf("job:1", sink.Receipt{}, errors.New("no")), causeOf("job:2", sink.Receipt{}, errors.New("no")); a != b {
		t.Error("two jobs whose webhooks died of the same are two causes")
	}
	// Causes stand in the store and in scripts: they must not change with the program.
	if want := "cause_tdmy5qr4zduwjwsx"; same != want {
		t.Errorf("the cause is %s, want %s", same, want)
	}
}

func FuzzSameWords(f *testing.F) {
	f.Add("503 from https://shop.example/x: ", "no answer", uint64(7))
	f.Add("it doesn't 'fit' \"", "\\\"", uint64(12345))
	f.Add("„x“ ’ ‘a’ «", "'", uint64(0))
	f.Add("dial tcp [::1]:80", "\x00\xff", uint64(99))
	f.Fuzz(func(t *testing.T, message, quoted string, number uint64) {
		got := sameWords(message)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > sameWordsLimit {
			t.Errorf("sameWords(%q) is %q", message, got)
		}
		if strings.ContainsFunc(got, unicode.IsNumber) {
			t.Errorf("sameWords(%q) = %q, with a number", message, got)
		}
		// What stands in quotes, and which number it is, makes no difference.
		words := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return ' '
		}, message)
		one, other := words+" "+strconv.Quote(quoted)+" at "+strconv.FormatUint(number, 10), words+` "a" at 1`
		if sameWords(one) != sameWords(other) {
			t.Errorf("sameWords(%q) = %q, but of %q it is %q", one, sameWords(one), other, sameWords(other))
		}
	})
}
