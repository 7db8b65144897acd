package sheets

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
)

// someKey is a service account's key, on one line as YAML likes it.
var someKey = sheetstest.New(sheetstest.Options{}).Account("pictifyd", "shop").JSON("https://oauth2.example")

func decode(tb testing.TB, yaml string) (*Config, error) {
	tb.Helper()
	node, err := config.Parse("pictifyd.yaml", []byte(yaml), config.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	cfg := Kind.Config().(*Config)
	if err := node.Decode(cfg); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

func TestGoodConfigurations(t *testing.T) {
	for _, yaml := range []string{
		`{ kind: sheets, spreadsheet: 1AbC_-9, range: "Products!A:H", key: sku }`,
		`{ kind: sheets, spreadsheet: "https://docs.google.com/spreadsheets/d/1AbC_-9/edit?usp=sharing#gid=7", key: [shop, sku] }`,
		`{ kind: sheets, spreadsheet: 1AbC, range: [Products, "'Price list'!B2:F"], key: sku, every: 1m, header_row: 2, values: formatted }`,
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, dates: [Since, Until], error_cells: empty, drive: true, full_every: 5m, timeout: 10s }`,
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, api_key: AIzaX, endpoint: "http://127.0.0.1:8090/" }`,
	} {
		if _, err := decode(t, yaml); err != nil {
			t.Errorf("%s: %v", yaml, err)
		}
	}
}

func TestBadConfigurationsSayWhatIsWrong(t *testing.T) {
	for yaml, want := range map[string]string{
		`{ kind: sheets, range: A:H, key: sku }`:                                                                                               "spreadsheet: a sheets source needs a spreadsheet",
		`{ kind: sheets, spreadsheet: "my sheet", key: sku }`:                                                                                  `"my sheet" is neither the ID nor the address`,
		`{ kind: sheets, spreadsheet: "https://docs.google.com/document/d/1AbC/edit", key: a}`:                                                 "is not the address of a spreadsheet",
		`{ kind: sheets, spreadsheet: "https://docs.google.com/spreadsheets/d/e/2PACX-1/pubhtml", key: a}`:                                     "published copy",
		`{ kind: sheets, spreadsheet: 1AbC }`:                                                                                                  "key: a sheets source needs key columns",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, range: "Products!A0:H" }`:                                                                `range: "A0:H" is no range of cells`,
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, range: "Products!A1:H1" }`:                                                               "no room for a header and a row",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, values: formated }`:                                                                      `values: "formated" is none of raw, formatted (did you mean "formatted"?)`,
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, error_cells: drop }`:                                                                     `error_cells: "drop" is none of hold, empty`,
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, dates: [Since], values: formatted }`:                                                     "dates: with values: formatted",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, dates: [auto, Since] }`:                                                                  "dates: columns stand beside",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, header_row: -1 }`:                                                                        "header_row: must be at least 1",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, every: 100ms }`:                                                                          "every: must be at least 1s",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, timeout: 0s }`:                                                                           "timeout: must be more than 0",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, endpoint: "ftp://x" }`:                                                                   "endpoint: is not an http or https address",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, credentials: "{}" }`:                                                                     "credentials: is JSON, but no Google key file",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, credentials: "SECRET-KEY" }`:                                                             "credentials: is not the JSON of a Google key file",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, credentials: '{"type":"service_account"}' }`:                                             "without client_email or private_key",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, credentials: '{"type":"service_account","client_email":"a@b","private_key":"SECRET"}' }`: "has a private_key that is none",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, credentials: '` + strings.ReplaceAll(someKey, "https://oauth2", "ftp://oauth2") + `' }`:  "its token_uri is not an http or https address",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, api_key: x, credentials: '` + someKey + `' }`:                                            "api_key: credentials identify pictifyd already",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, api_key: "a b" }`:                                                                        "api_key: has white space in it",
		`{ kind: sheets, spreadsheet: 1AbC, key: sku, sheet: Products }`:                                                                       "sheet",
	} {
		_, err := decode(t, yaml)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", yaml, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "PRIVATE")) {
			t.Errorf("%s: %v shows the secret", yaml, err)
		}
	}
}

func TestASpreadsheetIsFoundInItsAddress(t *testing.T) {
	for text, want := range map[string]address{
		"1AbC_-9": {"1AbC_-9", ""},
		"https://docs.google.com/spreadsheets/d/1AbC/edit":                   {"1AbC", ""},
		"https://docs.google.com/spreadsheets/d/1AbC/edit?gid=5#gid=7":       {"1AbC", "7"},
		"https://docs.google.com/spreadsheets/d/1AbC/edit?gid=5":             {"1AbC", "5"},
		"https://docs.google.com/a/corp.example/spreadsheets/d/1AbC":         {"1AbC", ""},
		"https://docs.google.com/spreadsheets/u/1/d/1AbC/edit?usp=drive_web": {"", ""},
	} {
		got, err := parseAddress(text)
		if want == (address{}) {
			if err == nil {
				t.Errorf("%s is %+v", text, got)
			}
		} else if err != nil || got != want {
			t.Errorf("%s is %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestSerialsAreDates(t *testing.T) {
	for _, test := range []struct {
		serial float64
		d      dating
		want   string
	}{
		{46082, date, "2026-03-01"}, {46082.75, date, "2026-03-01"}, {46082.75, dateTime, "2026-03-01T18:00:00"},
		{46082, dateTime, "2026-03-01T00:00:00"}, {0.75, clock, "18:00:00"}, {1.5, clock, "36:00:00"},
		{46082, anyDate, "2026-03-01"}, {46082.75, anyDate, "2026-03-01T18:00:00"}, {0.5, anyDate, "12:00:00"},
		{46082 + 1.0/86400, dateTime, "2026-03-01T00:00:01"}, {46082 + 0.5/86400, dateTime, "2026-03-01T00:00:00.5"},
		{46082.99999999999, dateTime, "2026-03-02T00:00:00"},
		{1, date, "1899-12-31"}, {-1, date, "1899-12-29"}, {61, date, "1900-03-01"}, {60, date, "1900-02-28"}, // no 29th as in Lotus
		{2958465, date, "9999-12-31"}, {3e6, date, ""}, {-0.5, clock, ""}, {19.9, plain, ""}, {5, "CURRENCY", ""},
	} {
		if got, ok := moment(test.serial, test.d); got != test.want || ok != (test.want != "") {
			t.Errorf("%v as %s is %q, want %q", test.serial, test.d, got, test.want)
		}
	}
}

func TestDigitsAreThoseOfTheNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 19.9: "19.9", 1e6: "1000000", -3: "-3", 1.0 / 3: "0.3333333333333333", 1e20: "100000000000000000000", 1e21: "1e+21", 1e-7: "0.0000001", 1e-12: "1e-12",
	} {
		if got := digits(v); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

func TestWhatACellSaysIsAnErrorOrAText(t *testing.T) {
	for cell, want := range map[string]string{
		"#REF!": "#REF!", "#N/A": "#N/A", "#DIV/0! (Function DIVIDE parameter 2 cannot be zero.)": "#DIV/0!", "Loading...": "Loading...", "Loading…": "Loading…",
		"#1 seller": "", "#REF!s": "", "loading...": "", "": "", "#": "", "see #N/A": "",
	} {
		if got := failed(cell); got != want {
			t.Errorf("%q is %q, want %q", cell, got, want)
		}
	}
}

func TestRetryAfterComesInTwoForms(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": 0, "999999": longestAfter, time.Now().Add(-time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"): 0,
		time.Now().Add(72 * time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"): longestAfter,
	} {
		if got, ok := retryAfter(map[string][]string{"Retry-After": {value}}); !ok || got != want {
			t.Errorf("%s is %v, %v, want %v", value, got, ok, want)
		}
	}
	for _, value := range []string{"", "soon", "-5", "1.5"} {
		if got, ok := retryAfter(map[string][]string{"Retry-After": {value}}); ok {
			t.Errorf("%q is %v", value, got)
		}
	}
}

func TestAConfigurationShowsNoSecret(t *testing.T) {
	cfg, err := decode(t, `{ kind: sheets, spreadsheet: 1AbC, key: sku, credentials: '`+someKey+`' }`)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg); strings.Contains(text, "PRIVATE KEY") {
		t.Error(text)
	}
}
