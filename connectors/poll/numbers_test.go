package poll_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/poll"
)

func numbersIn(locale string) poll.Numbers {
	return poll.Numbers{Locale: locale, Columns: config.Strings{"price"}}
}

// priceIn is the price of a table with that cell, or the fault of its row.
func priceIn(t *testing.T, locale, cell string) any {
	t.Helper()
	got := mustDecode(t, poll.Layout{Format: poll.TSV, Numbers: numbersIn(locale)}, "id\tprice\n007\t"+cell+"\n")
	if f := got[0].Fault; f != nil {
		return f.Reason + ": " + f.Detail
	}
	mustEqual(t, "007", got[0].Values["id"])
	return got[0].Values["price"]
}

func TestNumbersAreReadAsTheirLocaleWritesThem(t *testing.T) {
	for _, c := range []struct{ locale, cell, want string }{
		{"de-DE", "1.234,56", "1234.56"}, {"de-DE", "1234,50", "1234.50"}, {"de-DE", " 12 ", "12"}, {"de-DE", "1.234", "1234"},
		{"de-DE", "-1.234.567,0", "-1234567.0"}, {"de-DE", "−5", "-5"}, {"de-DE", "+5", "5"}, {"de-DE", "007,10", "7.10"},
		{"de-DE", "0", "0"}, {"de-DE", "000", "0"}, {"de-DE", "12345678901234567890,123", "12345678901234567890.123"},
		{"en", "1,234.56", "1234.56"}, {"en-IN", "12,34,567.5", "1234567.5"}, {"en-IN", "1,234", "1234"}, {"es", "1234,5", "1234.5"},
		{"fr", "1\u202f234,5", "1234.5"}, {"fr", "1\u00a0234,5", "1234.5"}, {"fr", "1 234,5", "1234.5"},
		{"de-CH", "1'234.5", "1234.5"}, {"de-CH", "1’234.5", "1234.5"}, {"ar", "١٬٢٣٤٫٥", "1234.5"}, {"ar", "1234", "1234"},
	} {
		got := priceIn(t, c.locale, c.cell)
		if got != json.Number(c.want) {
			t.Errorf("%q in %s is %v, want %s", c.cell, c.locale, got, c.want)
		}
	}
}

func TestNumberOfAnotherLocaleIsAFault(t *testing.T) {
	for _, c := range []struct{ locale, cell string }{
		{"de-DE", "12.50"}, {"de-DE", "1,234.56"}, {"de-DE", "1.23.456"}, {"de-DE", "1234.567"}, {"de-DE", "1,5,0"}, {"de-DE", ",5"}, {"de-DE", "5,"},
		{"de-DE", "."}, {"de-DE", ".123"}, {"de-DE", "123."}, {"de-DE", "-"}, {"de-DE", "--5"}, {"de-DE", "1e5"}, {"de-DE", "12 €"}, {"de-DE", "n/a"},
		{"de-DE", "0x10"}, {"de-DE", "1..234"}, {"de-AT", "1.234,56"}, {"en", "12,50"}, {"en", "NaN"},
	} {
		got, _ := priceIn(t, c.locale, c.cell).(string)
		for _, words := range []string{"bad_record", "price", c.cell, "is not a number as " + c.locale} {
			if !strings.Contains(got, words) {
				t.Errorf("%q in %s: got %q, want a fault that says %q", c.cell, c.locale, got, words)
			}
		}
	}
}

func TestEmptyNumberIsNull(t *testing.T) {
	for _, cell := range []string{"", " "} {
		if got := priceIn(t, "de-DE", cell); got != nil {
			t.Errorf("%q is %v, want null", cell, got)
		}
	}
}

// readBoth reads two tables in one reading.
func readBoth(t *testing.T, reading *poll.Reading, first, second string) error {
	t.Helper()
	layout := poll.Layout{Format: poll.CSV, Numbers: numbersIn("de-DE")}
	for _, text := range []string{first, second} {
		d, err := layout.Decoder(poll.CSV, strings.NewReader(text), []string{"id"})
		if err != nil {
			t.Fatal(err)
		}
		if err := reading.Copy(t.Context(), d); err != nil {
			return err
		}
	}
	return reading.Close(t.Context(), connectors.Closing{Complete: true})
}

func TestColumnOfNumbersThatIsNowhereIsAnError(t *testing.T) {
	const with, without = "id;price\n1;1,5\n", "id;prise\n2;1,5\n"
	for name, c := range map[string]struct {
		several       bool
		first, second string
		rows          int
		wrong         bool
	}{
		"a document":             {false, with, without, 1, true},
		"one of several has it":  {true, without, with, 2, false},
		"another of several":     {true, with, without, 2, false},
		"none of several has it": {true, without, without, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			var r connectortest.Recorder
			reading := poll.NewReading([]string{"id"}, r.Emit)
			if c.several {
				reading = reading.OfSeveral()
			}
			err := readBoth(t, reading, c.first, c.second)
			if c.wrong {
				mustProblem(t, err, 0, "numbers.columns", `"price"`, `"id", "prise"`)
			} else if err != nil {
				t.Error(err)
			}
			if closed := r.Closing != nil; closed == c.wrong || closed && len(r.Rows) != c.rows {
				t.Errorf("closed %v with %d rows", closed, len(r.Rows))
			}
		})
	}
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []struct{ locale, cell string }{{"de-DE", "1.234,56"}, {"en-IN", "12,34,567"}, {"fr", "−1\u202f234"}, {"ar", "١٬٢٣٤٫٥"}, {"en", "0.0"}} {
		f.Add(seed.locale, seed.cell)
	}
	f.Fuzz(func(t *testing.T, locale, cell string) {
		layout := poll.Layout{Format: poll.TSV, Numbers: numbersIn(locale)}
		if len(layout.Problems()) > 0 || strings.ContainsAny(cell, "\t\r\n\"\x00") {
			return
		}
		elements, err := decode(layout, "id\tprice\n1\t"+cell+"\n")
		if err != nil || elements[0].Fault != nil {
			return
		}
		if n, ok := elements[0].Values["price"].(json.Number); ok && !json.Valid([]byte(n)) {
			t.Errorf("%q in %s is %q, which is no number of JSON", cell, locale, n)
		}
	})
}
