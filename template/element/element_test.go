package element

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var update = flag.Bool("update", false, "rewrite testdata")

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// A sample is an element and a value; the options are written a=b;c=d.
type sample struct {
	name, kind, options, value, locale string
}

const months = "labels=Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"

// samples are one of each kind and its turns; testdata holds their markup.
var samples = []sample{
	{name: "qr", kind: "qr", value: `"https://pictify.example/t/9f3c2a"`},
	{name: "qr_high", kind: "qr", options: "level=H;quiet=false", value: `"ä日本"`},
	{name: "ean13", kind: "barcode", options: "symbology=ean13", value: `"4006381333931"`},
	{name: "ean8", kind: "barcode", options: "symbology=ean8;quiet=false", value: `96385074`},
	{name: "code128", kind: "barcode", value: `"PICT-2026-00042"`},
	{name: "rating", kind: "rating", value: `4.3`},
	{name: "rating_none", kind: "rating", options: "of=10;align=right", value: `0`},
	{name: "countdown", kind: "countdown", options: "days=Tag|Tage;hours=Stunde|Stunden;minutes=Minute|Minuten", value: `"2026-03-06T13:30:00Z"`},
	{name: "countdown_past", kind: "countdown", options: "smallest=hours", value: `"2026-03-01"`},
	{name: "table", kind: "table", options: "columns=name:Item, qty:Qty, price:Price|currency", value: `[{"name":"Beans <1 kg>","qty":12,"price":"18.5"},{"name":"Filter","qty":100,"price":0.12}]`},
	{name: "table_fields", kind: "table", value: `[{"b":1,"a":"x"},{"c":null,"a":"y"}]`},
	{name: "line", kind: "chart", options: months, value: `[12,19,14,null,32,30,41,38,45,52,49,60]`},
	{name: "line_two", kind: "chart", options: "format=currency:EUR;" + months, locale: "de-DE", value: `[{"name":"2025","values":[120000,125000,132000]},{"name":"2026","values":[150000]}]`},
	{name: "line_bounds", kind: "chart", options: "min=0;max=97;values=true;axis=true", value: `[80,85,90,120]`},
	{name: "area", kind: "chart", options: "kind=area", value: `[-5,3,8,2]`},
	{name: "area_stacked", kind: "chart", options: "kind=area;stacked=true;format=compact", value: `[[1200,1900,1400],[800,null,1400]]`},
	{name: "bar", kind: "chart", options: "kind=bar;values=true;format=currency", value: `[{"label":"North","value":4200},{"label":"South","value":3100.5},{"label":"East","value":-1200}]`},
	{name: "bar_grouped", kind: "chart", options: "kind=bar;labels=Q1,Q2", value: `[{"name":"Plan","values":[10,12]},{"name":"Actual","values":[11,-3]}]`},
	{name: "bar_stacked", kind: "chart", options: "kind=bar;stacked=true;values=true", value: `[{"name":"A","values":[10,12]},{"name":"B","values":[5,-4]},{"name":"C","values":[2,-3]}]`},
	{name: "bar_names", kind: "chart", options: "kind=bar", value: `[{"label":"Wireless headphones","value":42},{"label":"Running shoes","value":31},{"label":"Espresso machine","value":28},{"label":"Desk lamp","value":12}]`},
	{name: "donut", kind: "chart", options: "kind=donut;total=true;format=currency:EUR", locale: "de-DE", value: `[{"label":"Licences","value":42000},{"label":"Services","value":31000},{"label":"Nothing","value":0}]`},
	{name: "donut_zero", kind: "chart", options: "kind=donut", value: `[0,0]`},
	{name: "sparkline", kind: "chart", options: "kind=sparkline", value: `[5,7,6,9,null,12]`},
	{name: "zeros", kind: "chart", value: `[0,0,0]`},
	{name: "one_point", kind: "chart", value: `[5]`},
	{name: "huge", kind: "chart", value: `[-1e12,3e12]`},
	{name: "tiny", kind: "chart", value: `[2.5e-7,0]`},
}

func options(s string) map[string]string {
	out := map[string]string{}
	for _, o := range strings.Split(s, ";") {
		if name, value, ok := strings.Cut(o, "="); ok {
			out[name] = value
		}
	}
	return out
}

func mustNew(tb testing.TB, kind, opts string) *Element {
	tb.Helper()
	e, err := New(kind, options(opts))
	if err != nil {
		tb.Fatalf("New(%q, %q): %v", kind, opts, err)
	}
	return e
}

func mustValue(tb testing.TB, src string) any {
	tb.Helper()
	v, err := expr.ParseJSON(src)
	if err != nil {
		tb.Fatalf("value %s: %v", src, err)
	}
	return v
}

func (s sample) data(tb testing.TB) (*Element, string) {
	tb.Helper()
	e := mustNew(tb, s.kind, s.options)
	data, err := e.Data(mustValue(tb, s.value), nil, expr.Env{Now: noon, Locale: s.locale})
	if err != nil {
		tb.Fatalf("Data(%s): %v", s.value, err)
	}
	return e, data
}

func markup(tb testing.TB, kind, opts, value string) string {
	tb.Helper()
	e, data := sample{kind: kind, options: opts, value: value}.data(tb)
	return e.Markup(data)
}

func TestMarkupIsAsItWasSeenToBeRight(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			e, data := s.data(t)
			got := data + "\n" + strings.ReplaceAll(e.Markup(data), "><", ">\n<") + "\n"
			file := filepath.Join("testdata", s.name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got (run with -update once it has been looked at):\n%s", diff)
			}
		})
	}
}

func TestTheSameValueIsTheSameText(t *testing.T) {
	for _, s := range samples {
		e, data := s.data(t)
		for range 20 {
			again, other := s.data(t)
			if other != data || again.Markup(other) != e.Markup(data) {
				t.Fatalf("%s differs from itself:\n%s\n%s", s.name, data, other)
			}
		}
	}
}

func TestWhatIsEmptyDrawsNothing(t *testing.T) {
	for _, kind := range Kinds() {
		for _, value := range []string{`null`, `""`, `" "`, `[]`} {
			e := mustNew(t, kind.Name, "")
			data, err := e.Data(mustValue(t, value), nil, expr.Env{Now: noon})
			if data != "" || err != nil || e.Markup(data) != "" {
				t.Errorf("%s of %s: %q, %v", kind.Name, value, data, err)
			}
		}
	}
}

func TestEveryAllowedValueOfAnOptionIsTaken(t *testing.T) {
	for _, kind := range Kinds() {
		for _, o := range kind.Options {
			for _, value := range append(o.Values, o.Default, "") {
				if _, err := New(kind.Name, map[string]string{o.Name: value}); err != nil {
					t.Errorf("p-%s %s=%q: %v", kind.Name, o.Name, value, err)
				}
			}
			if o.Summary == "" {
				t.Errorf("p-%s %s has no summary", kind.Name, o.Name)
			}
		}
	}
}

func TestMistakesInATemplateNameTheRemedy(t *testing.T) {
	tests := []struct{ kind, options, slug, want string }{
		{"qrr", "", UnknownElement, `there is no element "qrr" (did you mean "qr"?)`},
		{"qr", "levle=M", UnknownOption, `p-qr has no option p-levle (did you mean "p-level"?)`},
		{"qr", "colour=red", UnknownOption, `p-qr has no option p-colour (it has p-level, p-quiet)`},
		{"qr", "level=m", BadOption, `p-level: p-level is "m", not L, M, Q or H (did you mean "M"?)`},
		{"barcode", "symbology=ean12", BadOption, `p-symbology: p-symbology is "ean12", not code128, ean13 or ean8 (did you mean "ean13"?)`},
		{"rating", "of=0", BadOption, `p-of: p-of is "0", not a whole number from 1 to 20`},
		{"chart", "kind=lines", BadOption, `p-kind: p-kind is "lines", not line, area, bar, donut or sparkline (did you mean "line"?)`},
		{"chart", "min=low", BadOption, `p-min: p-min is "low", not a number`},
		{"chart", "format=curency:EUR", BadOption, `p-format: p-format is "curency:EUR", not number, percent, currency or compact (did you mean "currency"?)`},
		{"chart", "format=currency:EURO", BadOption, `p-format: p-format is "currency:EURO": "EURO" is not a currency (use a code of three letters, such as EUR)`},
		{"chart", "format=number:x", BadOption, `p-format: p-format is "number:x": the decimals are a whole number from 0 to 9`},
		{"table", "columns={{ c }}", BadOption, `p-columns: p-columns is part of the template and takes no expression`},
		{"table", "columns=name, price:Price|curency", BadOption, `p-columns: column "price:Price|curency": 1:7: unknown function "curency" (did you mean "currency"?)`},
	}
	for _, tt := range tests {
		_, err := New(tt.kind, options(tt.options))
		if got := message(err); got != tt.want || problem.All(err)[0].Slug != tt.slug {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.kind, tt.options, got, tt.want)
		}
	}
}

func TestAllMistakesOfATagAreToldAtOnce(t *testing.T) {
	_, err := New("chart", options("kind=pie;min=x;colour=red"))
	if n := len(problem.All(err)); n != 3 {
		t.Errorf("%d problems, not 3: %v", n, err)
	}
}

func message(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

func TestBadValuesOfARowSayWhatIsWrong(t *testing.T) {
	long := strings.Repeat("1,", chartPoints) + "1"
	tests := []struct{ kind, options, value, want string }{
		{"qr", "", `["a"]`, `a QR code needs a text, but the value is a list`},
		{"qr", "level=H", `"` + strings.Repeat("ä", 700) + `"`, `a QR code of level H holds 1273 bytes of text, and this text has 1400 (shorten it, or lower p-level)`},
		{"barcode", "symbology=ean13", `"4006381333932"`, `4006381333932 is not an EAN-13: its check digit should be 1`},
		{"barcode", "symbology=ean13", `"400638133393"`, `400638133393 is not an EAN-13: it has 12 digits, not 13 (a number without its check digit would end in 1; one that lost its first zero needs it back)`},
		{"barcode", "symbology=ean8", `"4006381333931"`, `4006381333931 is not an EAN-8: it has 13 digits, not 8`},
		{"barcode", "symbology=ean13", `"40063813339x1"`, `"40063813339x1" is not an EAN-13: it has the character 'x'`},
		{"barcode", "", `"größe"`, `Code 128 holds the letters, digits and signs of ASCII, and "größe" has the character 'ö' (use p-qr for any text)`},
		{"barcode", "", `"` + strings.Repeat("x", 81) + `"`, `Code 128 holds 80 characters, and this text has 81 (use p-qr for long texts)`},
		{"rating", "", `"good"`, `a rating needs a number, but the value is "good"`},
		{"rating", "", `7`, `the rating 7 is not between 0 and 5 (p-of is the number of stars)`},
		{"rating", "", `-0.5`, `the rating -0.5 is not between 0 and 5 (p-of is the number of stars)`},
		{"countdown", "", `"soon"`, `a countdown needs a date, but the value is "soon" (dates look like 2026-03-05 or 2026-03-05T14:00:00Z)`},
		{"table", "", `{"a":1}`, `a table needs a list, but the value is an object`},
		{"table", "", "[" + strings.Repeat("1,", tableRows) + "1]", `a table has at most 500 rows, and this list has 501 (take a part of it: items[0:500])`},
		{"table", "", "[[" + strings.Repeat("1,", tableColumns) + "1]]", `a table has at most 30 columns, and these rows have 31 fields (choose with p-columns)`},
		{"table", "columns=price|currency", `[{"price":1},{"price":"x"}]`, `row 2, column "price": 1:7: currency needs a number, but the value is "x"`},
		{"chart", "", `12`, `a chart needs a list, but the value is 12 (` + chartForms + `)`},
		{"chart", "", `[1,"x"]`, `point 2 is "x", not a number (` + chartForms + `)`},
		{"chart", "", `[1,1e300]`, `point 2 is 1e300, beyond what a chart can draw`},
		{"chart", "", `[{"value":1},{"label":"x"}]`, `point 2 has no value (` + chartForms + `)`},
		{"chart", "", `[{"values":[1]},{"name":"x"}]`, `series 2 has no list of values (` + chartForms + `)`},
		{"chart", "", `{"name":"x"}`, `the object has no list of values (` + chartForms + `)`},
		{"chart", "", `[[1],2]`, `series 2 is 2, not a list (` + chartForms + `)`},
		{"chart", "", `[[1],["a"]]`, `series 2, point 1 is "a", not a number (` + chartForms + `)`},
		{"chart", "", "[" + long + "]", `a chart has at most 1000 points, and this one has 1001`},
		{"chart", "", "[" + strings.Repeat("[1],", chartSeries) + "[1]]", `a chart has at most 12 series, and this one has 13`},
		{"chart", "kind=donut", `[1,-2]`, `a donut cannot show -2: its parts are of a whole, and none is negative (use p-kind="bar")`},
		{"chart", "kind=donut", `[[1],[2]]`, `a donut shows one series, and there are 2 (use p-kind="bar")`},
		{"chart", "min=5;max=5", `[1]`, `p-min 5 is not below p-max 5`},
	}
	for _, tt := range tests {
		data, err := mustNew(t, tt.kind, tt.options).Data(mustValue(t, tt.value), nil, expr.Env{Now: noon})
		var p *problem.Error
		if !errors.As(err, &p) || data != "" || p.Slug != BadValue || p.Code != problem.Invalid || err.Error() != tt.want {
			t.Errorf("%s of %.60s:\n got %s\nwant %s", tt.kind, tt.value, message(err), tt.want)
		}
	}
}

func TestAnOptionMayComeWithTheRow(t *testing.T) {
	e := mustNew(t, "rating", "of={{ scale }}")
	data, err := e.Data(mustValue(t, "7"), map[string]string{"of": "10"}, expr.Env{})
	if err != nil || !strings.Contains(data, `"of":10`) {
		t.Errorf("%s, %v", data, err)
	}
	if data, err = e.Data(mustValue(t, "3"), map[string]string{"of": ""}, expr.Env{}); err != nil || !strings.Contains(data, `"of":5`) {
		t.Errorf("without a value: %s, %v", data, err)
	}
	if _, err = e.Data(mustValue(t, "3"), map[string]string{"of": "many"}, expr.Env{}); message(err) != `p-of: p-of is "many", not a whole number from 1 to 20` {
		t.Error(err)
	}
}

func TestOnlyWhatReadsTheClockSaysSo(t *testing.T) {
	for kind, want := range map[string]bool{"countdown": true, "qr": false, "table": false} {
		if got := mustNew(t, kind, "").ReadsClock(); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if !mustNew(t, "table", "columns=now():Now").ReadsClock() {
		t.Error("a column with now() does not read the clock")
	}
}

func TestACountdownCountsFromTheMomentOfPlanning(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	tests := []struct {
		value, options string
		zone           *time.Location
		want           string
	}{
		{`"2026-03-06T13:01:59Z"`, "", nil, `{"parts":[{"number":1,"word":"day"},{"number":1,"word":"hour"},{"number":1,"word":"minute"}]}`},
		{`"2026-03-05T15:00:00"`, "smallest=hours;days=d;hours=h", berlin, `{"parts":[{"number":0,"word":"d"},{"number":2,"word":"h"}]}`},
		{`"2020-01-01"`, "smallest=days", nil, `{"parts":[{"number":0,"word":"days"}]}`},
	}
	for _, tt := range tests {
		got, err := mustNew(t, "countdown", tt.options).Data(mustValue(t, tt.value), nil, expr.Env{Now: noon, Zone: tt.zone})
		if err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.value, got, err, tt.want)
		}
	}
}

var env = expr.Env{Now: noon}
