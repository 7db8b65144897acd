package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// decoded is a request and its rows.
func decoded(body string, limits Limits) (Request, []Row, error) {
	var rows []Row
	request, err := Decode(strings.NewReader(body), Form{}, limits, func(r Row) error {
		rows = append(rows, r)
		return nil
	})
	return request, rows, err
}

func row(index int64, values string) Row {
	return Row{Index: index, Key: fmt.Sprint(index), Values: []byte(values)}
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

var onePNG = []Output{{Name: "png", Encoding: bindings.Encoding{Format: "png"}}}

func TestTheExampleOfTheSeedIsABatch(t *testing.T) {
	body := `{"variables":[{"recipient_name":"Ada","certificate_id":"C-1"},{"recipient_name":"Bob","certificate_id":2.50}],` +
		`"webhookUrl":"https://yourapp.com/hooks/batch-complete"}`
	request, rows, err := decoded(body, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := Request{Outputs: onePNG, WebhookURL: "https://yourapp.com/hooks/batch-complete", Rows: 2, Digest: digestOf(body)}
	if diff := cmp.Diff(want, request); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	wantRows := []Row{
		row(0, `{"recipient_name":"Ada","certificate_id":"C-1"}`),
		row(1, `{"recipient_name":"Bob","certificate_id":2.50}`),
	}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestFieldsStandBeforeOrAfterTheRows(t *testing.T) {
	const rows, fields = `"variables":[{"a":1}]`, `"rowKey":"a","format":"jpg","quality":0.9,"metadata":{"run": 7}`
	want := Request{
		Outputs: []Output{{Name: "jpeg", Encoding: bindings.Encoding{Format: "jpeg", Quality: 90}}}, RowKey: "a", Metadata: json.RawMessage(`{"run":7}`), Rows: 1,
	}
	for _, body := range []string{"{" + rows + "," + fields + "}", "{" + fields + "," + rows + "}"} {
		got, _, err := decoded(body, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got.Digest = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestOutputsInEveryDialect(t *testing.T) {
	for _, c := range []struct {
		fields string
		want   []Output
	}{
		{``, onePNG},
		{`"format":null,"quality":null,"outputs":null,"metadata":null,"webhookUrl":null,"concurrency":5,`, onePNG},
		{`"outputs":[],`, onePNG},
		{`"fileExtension":"webp","quality":1,`, []Output{{Name: "webp", Encoding: bindings.Encoding{Format: "webp", Quality: 100}}}},
		{`"format":"jpeg","quality":1.5,`, []Output{{Name: "jpeg", Encoding: bindings.Encoding{Format: "jpeg", Quality: 2}}}},
		{`"format":"jpeg","quality":0.001,`, []Output{{Name: "jpeg", Encoding: bindings.Encoding{Format: "jpeg", Quality: 1}}}},
		{`"format":"jpeg",`, []Output{{Name: "jpeg", Encoding: bindings.Encoding{Format: "jpeg", Quality: 85}}}},
		{`"layout":"story",`, []Output{{Name: "story", Size: "story", Encoding: bindings.Encoding{Format: "png"}}}},
		{`"size":"default",`, onePNG},
		{`"layouts":["default","story"],`, []Output{{Name: "png", Encoding: bindings.Encoding{Format: "png"}}, {Name: "story", Size: "story", Encoding: bindings.Encoding{Format: "png"}}}},
		{
			`"quality":70,"format":"jpg","outputs":[{"layout":"story"},{"name":"lossless","fileExtension":"png"},{"format":"webp","quality":0.5}],`,
			[]Output{{Name: "story", Size: "story", Encoding: bindings.Encoding{Format: "jpeg", Quality: 70}}, {Name: "lossless", Encoding: bindings.Encoding{Format: "png"}}, {Name: "webp", Encoding: bindings.Encoding{Format: "webp", Quality: 50}}},
		},
		{
			`"deviceScaleFactor": 2 ,"transparent":true,"compression":"small","maxBytes":"200KB","outputs":[{},{"format":"jpg"},{"format":"webp","scale":1.5,"transparent":false}],`,
			[]Output{
				{Name: "png", Encoding: bindings.Encoding{Format: "png", Scale: 2, Transparent: true, Compression: "small", MaxBytes: 200_000}},
				{Name: "jpeg", Encoding: bindings.Encoding{Format: "jpeg", Quality: 85, Scale: 2, MaxBytes: 200_000}},
				{Name: "webp", Encoding: bindings.Encoding{Format: "webp", Quality: 85, Scale: 1.5, MaxBytes: 200_000}},
			},
		},
		{
			`"fileExtension":"gif","maxBytes":200000,"quality":0.9,"duration":1.5,`,
			[]Output{{Name: "gif", Encoding: bindings.Encoding{Format: "gif", MaxBytes: 200_000, Animated: true, FPS: 15, Duration: config.Duration(1500 * time.Millisecond)}}},
		},
		{
			`"format":"webp","animated":true,"fps":10,"duration":"2s","loops":3,`,
			[]Output{{Name: "webp", Encoding: bindings.Encoding{Format: "webp", Quality: 85, Animated: true, FPS: 10, Duration: config.Duration(2 * time.Second), Loops: 3}}},
		},
		{
			`"format":"pdf","preset":"A4","landscape":true,"margins":{"top":10,"left":"1in"},"title":"List",`,
			[]Output{{Name: "pdf", Encoding: bindings.Encoding{Format: "pdf", Paper: "a4", Landscape: true, Margin: bindings.Margin{10, 0, 0, 96}, Title: "List"}}},
		},
		{
			`"margin":"1in 2px","outputs":[{"format":"pdf","page":2},{"format":"pdf","name":"wide","margins":40},{"format":"png"}],`,
			[]Output{
				{Name: "page-2", Page: 2, Encoding: bindings.Encoding{Format: "pdf", Margin: bindings.Margin{96, 2, 96, 2}}},
				{Name: "wide", Encoding: bindings.Encoding{Format: "pdf", Margin: bindings.Margin{40, 40, 40, 40}}},
				{Name: "png", Encoding: bindings.Encoding{Format: "png"}},
			},
		},
	} {
		got, _, err := decoded("{"+c.fields+`"variableSets":[{}]}`, Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.fields, err)
			continue
		}
		if diff := cmp.Diff(c.want, got.Outputs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.fields, diff)
		}
	}
}

func TestRowThatIsNoObjectIsAFailedRow(t *testing.T) {
	large := `{"a":"` + strings.Repeat("x", MaxRow) + `"}`
	_, rows, err := decoded(`{"variables":[1,"a",null,[{}],true,{"ok":1},`+large+`]}`, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		if r.Error == nil {
			got = append(got, string(r.Values))
			continue
		}
		if r.Values != nil {
			t.Errorf("row %d has values and an error", r.Index)
		}
		got = append(got, r.Error.Code+": "+r.Error.Message)
	}
	want := []string{
		"bad_row: the row is a number, not an object of variables",
		"bad_row: the row is a text, not an object of variables",
		"bad_row: the row is null, not an object of variables",
		"bad_row: the row is a list, not an object of variables",
		"bad_row: the row is a boolean, not an object of variables",
		`{"ok":1}`,
		fmt.Sprintf("too_large: the row has %d bytes, and at most %d are taken", len(large), MaxRow),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestBatchThatCannotBeIsRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct {
		name, body string
		limits     Limits
		want       []string // slug or code, path: part of the message
	}{
		{"no rows", `{}`, Limits{}, []string{"invalid variables: names no rows"}},
		{"empty rows", `{"variableSets":[]}`, Limits{}, []string{"invalid variableSets: has no rows"}},
		{"rows that are no list", `{"variables":{"a":1}}`, Limits{}, []string{"wrong_type variables: list of objects"}},
		{"rows that are null", `{"variables":null}`, Limits{}, []string{"wrong_type variables: list of objects"}},
		{"no object", `[{"a":1}]`, Limits{}, []string{"wrong_type : JSON object"}},
		{"unknown field", `{"variables":[{}],"webhookURL":"x"}`, Limits{}, []string{`unknown_field webhookURL: did you mean "webhookUrl"`}},
		{"unknown field of another world", `{"variables":[{}],"zzzzzzzzzzzz":{}}`, Limits{}, []string{"unknown_field zzzzzzzzzzzz: the fields are"}},
		{"unknown field of an output", `{"variables":[{}],"outputs":[{"formt":"png"}]}`, Limits{}, []string{`unknown_field outputs[0].formt: did you mean "format"`}},
		{"several at once", `{"formt":"x","variables":[{}],"rowKey":1,"quality":"high"}`, Limits{}, []string{
			"unknown_field formt: formt", "wrong_type rowKey: text", "wrong_type quality: number",
		}},
		{"field twice", `{"variables":[{}],"format":"png","format":"jpg"}`, Limits{}, []string{"given_twice format: twice"}},
		{"rows twice", `{"variables":[{}],"variableSets":[{}]}`, Limits{}, []string{`given_twice variableSets: "variables" and "variableSets" mean the same`}},
		{"alias twice in an output", `{"variables":[{}],"outputs":[{"size":"a","layout":"b"}]}`, Limits{}, []string{"given_twice outputs[0].size: mean the same"}},
		{"unknown format", `{"variables":[{}],"layouts":["a","b"],"format":"bmp"}`, Limits{}, []string{"invalid format: bmp"}},
		{"unknown format of an output", `{"variables":[{}],"outputs":[{},{"fileExtension":"bmp"}]}`, Limits{}, []string{"invalid outputs[1].fileExtension: bmp"}},
		{"options of the wrong type", `{"variables":[{}],"scale":"2","transparent":1,"compression":2,"maxBytes":-5,"animated":"yes","fps":1.5,"duration":"3","loops":"x","paper":4,"margin":"wide","landscape":0,"title":["t"]}`, Limits{}, []string{
			"wrong_type scale: a number", "wrong_type transparent: true or false", "wrong_type compression: a text", "wrong_type maxBytes: an amount of bytes",
			"wrong_type animated: true or false", "wrong_type fps: a whole number", `wrong_type duration: a unit, as in "30s"`, "wrong_type loops: a whole number",
			"wrong_type paper: a text", `wrong_type margin: as in "10mm"`, "wrong_type landscape: true or false", "wrong_type title: a text",
		}},
		{"options out of range", `{"variables":[{}],"outputs":[{"deviceScaleFactor":4,"maxBytes":7,"compression":"tiny"},{"format":"gif","fps":60,"loops":-1}]}`, Limits{}, []string{
			"invalid outputs[0].deviceScaleFactor: 4 is not between 1 and 3", "invalid outputs[0].compression: fast, small, palette", "invalid outputs[0].maxBytes: 200KB",
			"invalid outputs[1].fps: 60", "invalid outputs[1].loops: -1",
		}},
		{"scale 0", `{"variables":[{}],"scale":0}`, Limits{}, []string{"invalid scale: 0 is not between 1 and 3"}},
		{"endless duration", `{"variables":[{}],"format":"gif","duration":1e300}`, Limits{}, []string{"wrong_type duration: seconds"}},
		{"long duration", `{"variables":[{}],"format":"gif","duration":31}`, Limits{}, []string{"invalid duration: 31s is longer"}},
		{"an option of another format", `{"variables":[{}],"outputs":[{"format":"jpg","transparent":true}]}`, Limits{}, []string{"invalid outputs[0].transparent: it is for png, webp, gif"}},
		{"an option of no output's format", `{"variables":[{}],"transparent":true,"preset":"A4","outputs":[{"format":"jpg"}]}`, Limits{}, []string{
			"invalid preset: it is for pdf", "invalid transparent: it is for png, webp, gif",
		}},
		{"a fault beside the outputs", `{"variables":[{}],"deviceScaleFactor":9,"layouts":["a","b"]}`, Limits{}, []string{"invalid deviceScaleFactor: 9 is not"}},
		{"two words for an option", `{"variables":[{}],"scale":1,"deviceScaleFactor":2}`, Limits{}, []string{`given_twice deviceScaleFactor: "scale" and "deviceScaleFactor" mean the same`}},
		{"a side of a page", `{"variables":[{}],"format":"pdf","margins":{"top":10,"lft":5,"left":"5 km"}}`, Limits{}, []string{
			"wrong_type margins.left: wants lengths", `invalid margins.lft: no side "lft"`,
		}},
		{"too wide a margin", `{"variables":[{}],"format":"pdf","margins":5000}`, Limits{}, []string{"wrong_type margins: is wider than 2304"}},
		{"a side that is no length", `{"variables":[{}],"format":"pdf","margins":{"top":[1]}}`, Limits{}, []string{"wrong_type margins.top: wants lengths"}},
		{"outputs of one name", `{"variables":[{}],"outputs":[{},{}]}`, Limits{}, []string{"invalid outputs[1].name: also named"}},
		{"quality 0", `{"variables":[{}],"quality":0}`, Limits{}, []string{"invalid quality: quality 0"}},
		{"quality above 100", `{"variables":[{}],"layouts":["a","b"],"quality":100.5}`, Limits{}, []string{"invalid quality: 100.5"}},
		{"quality of an output", `{"variables":[{}],"outputs":[{"quality":-1}]}`, Limits{}, []string{"invalid outputs[0].quality: -1"}},
		{"webhook without a host", `{"variables":[{}],"webhookUrl":"/hooks"}`, Limits{}, []string{"invalid webhookUrl: /hooks"}},
		{"webhook of another scheme", `{"variables":[{}],"webhookUrl":"file:///etc/passwd"}`, Limits{}, []string{"invalid webhookUrl: file:"}},
		{"layouts", `{"variables":[{}],"layouts":"story"}`, Limits{}, []string{"wrong_type layouts: list"}},
		{"outputs", `{"variables":[{}],"outputs":{"format":"png"}}`, Limits{}, []string{"wrong_type outputs: list"}},
		{"metadata", `{"variables":[{}],"metadata":"` + strings.Repeat("x", MaxMetadata) + `"}`, Limits{}, []string{"too_large metadata: at most 65536"}},
		{"too many rows", `{"variables":[{},{},{}]}`, Limits{Rows: 2}, []string{"too_many_rows variables: at most 2 rows"}},
		{"too large", `{"variables":[{"a":"xxxxxxxx"}]}`, Limits{Body: 20}, []string{"body_too_large : larger than 20 bytes"}},
		{"nothing", ``, Limits{}, []string{"body_cut_short : 0 rows"}},
		{"cut in a row", `{"variables":[{"a":1},{"a":`, Limits{}, []string{"body_cut_short : 1 rows"}},
		{"cut between rows", `{"variables":[{"a":1},`, Limits{}, []string{"body_cut_short : 1 rows"}},
		{"cut after the rows", `{"variables":[{"a":1}]`, Limits{}, []string{"body_cut_short : 1 rows"}},
		{"cut in a field", `{"format":"pn`, Limits{}, []string{"body_cut_short : 0 rows"}},
		{"cut after an unknown field", `{"formt":1,"variables":[{}`, Limits{}, []string{"body_cut_short : nothing was accepted"}},
		{"no JSON", `variables=1`, Limits{}, []string{"bad_json : not JSON"}},
		{"no JSON in a row", `{"variables":[{"a":1},{a:1}]}`, Limits{}, []string{"bad_json : not JSON"}},
		{"a comma too many", `{"variables":[{"a":1},]}`, Limits{}, []string{"bad_json : not JSON"}},
		{"a bracket for a brace", `{"variables":[{"a":1}}`, Limits{}, []string{"bad_json : not JSON"}},
		{"a name that is no text", `{1:2}`, Limits{}, []string{"bad_json : not JSON"}},
		{"text after the end", `{"variables":[{}]} {}`, Limits{}, []string{"bad_json : after the end"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := decoded(c.body, c.limits)
			if err == nil {
				t.Fatal("the batch was taken")
			}
			got := problem.All(err)
			if len(got) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(got), len(c.want), err)
			}
			for i, want := range c.want {
				kind, rest, _ := strings.Cut(want, " ")
				path, text, _ := strings.Cut(rest, ": ")
				if got[i].Kind() != kind || got[i].Path != path || !strings.Contains(got[i].Error(), text) {
					t.Errorf("problem %d: %s %q, want %q", i, got[i].Kind(), got[i], want)
				}
				if code := got[i].Code; code != problem.Invalid && code != problem.TooLarge {
					t.Errorf("problem %d has code %q", i, code)
				}
			}
		})
	}
}

func TestLimitsAreInclusive(t *testing.T) {
	body := `{"variables":[{},{}]}`
	if _, _, err := decoded(body, Limits{Rows: 2, Body: int64(len(body))}); err != nil {
		t.Error(err)
	}
	if _, _, err := decoded(body, Limits{Body: int64(len(body)) - 1}); problem.CodeOf(err) != problem.TooLarge {
		t.Errorf("one byte more than the limit: %v", err)
	}
}

func TestNoRowIsHandedOutOnceTheBatchIsRefused(t *testing.T) {
	_, rows, err := decoded(`{"formt":"png","variables":[{},{}]}`, Limits{})
	if err == nil || len(rows) != 0 {
		t.Errorf("%d rows, error %v", len(rows), err)
	}
}

func TestErrorOfTheRowEndsTheReading(t *testing.T) {
	full := errors.New("disk full")
	calls := 0
	_, err := Decode(strings.NewReader(`{"variables":[{},{},{}]}`), Form{}, Limits{}, func(Row) error {
		calls++
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("error %v after %d rows, want %v after 1", err, calls, full)
	}
}

func TestErrorOfTheBodyIsNotTakenForItsText(t *testing.T) {
	gone := errors.New("connection reset")
	for _, start := range []string{"", `{"variables":[{}`, `{"variables":[{}]}`} {
		body := io.MultiReader(strings.NewReader(start), iotest.ErrReader(gone))
		if _, err := Decode(body, Form{}, Limits{}, func(Row) error { return nil }); !errors.Is(err, gone) {
			t.Errorf("after %q: %v, want %v", start, err, gone)
		}
	}
	body := io.MultiReader(strings.NewReader(`{"variables":[{}`), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := Decode(body, Form{}, Limits{}, func(Row) error { return nil }); problem.All(err)[0].Kind() != "body_cut_short" {
		t.Errorf("a body shorter than announced: %v", err)
	}
}

func TestRowsComeWhileTheBodyIsStillBeingSent(t *testing.T) {
	r, w := io.Pipe()
	got := make(chan int64)
	done := make(chan error, 1)
	go func() {
		_, err := Decode(r, Form{}, Limits{}, func(row Row) error {
			got <- row.Index
			return nil
		})
		done <- err
	}()
	for i, part := range []string{`{"variables":[{"a":1},`, `{"a":2},`, `{"a":3}]`} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		if index := <-got; index != int64(i) {
			t.Errorf("row %d, want %d", index, i)
		}
	}
	if _, err := io.WriteString(w, "}"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// FuzzDecode: a batch is taken whole or refused with a problem; how the bytes
// arrive makes no difference; rows are JSON objects with their own bytes.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"variables":[{"a":1},{"a":2}],"webhookUrl":"https://a.example/x"}`,
		`{"variableSets":[1,null,{"a":[1]}],"outputs":[{"format":"jpg","quality":0.8,"layout":"story"}],"rowKey":"a","metadata":[1]}`,
		`{"format":"pdf","margins":{"top":1,"left":"2mm"},"preset":"A4","variables":[{}],"maxBytes":"1MB","duration":2,"fps":3}`,
		`{"format":"bmp","layouts":["a","b"],"variables":[]}`,
		`{"variables":[{"a":1},`, `{"a":1,}`, `{1:2}`, `[]`, ``, `{"variables":[{}]} x`, "{\"variables\":[{\"\xff\":1}]}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		request, rows, err := decoded(body, Limits{Rows: 50, Body: 1 << 16})
		var again []Row
		slow, slowErr := Decode(iotest.OneByteReader(strings.NewReader(body)), Form{}, Limits{Rows: 50, Body: 1 << 16}, func(r Row) error {
			again = append(again, r)
			return nil
		})
		if diff := cmp.Diff(request, slow); diff != "" || (err == nil) != (slowErr == nil) {
			t.Fatalf("byte by byte: %v, at once: %v (-once +bytes):\n%s", slowErr, err, diff)
		}
		if diff := cmp.Diff(rows, again); diff != "" && err == nil {
			t.Fatalf("rows (-once +bytes):\n%s", diff)
		}
		if err != nil {
			if code := problem.CodeOf(err); code != problem.Invalid && code != problem.TooLarge {
				t.Fatalf("refused with code %q: %v", code, err)
			}
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatal("taken, and no JSON")
		}
		if request.Rows != int64(len(rows)) || len(rows) == 0 || len(request.Outputs) == 0 || request.Digest != digestOf(body) {
			t.Fatalf("%d rows, request %+v", len(rows), request)
		}
		for i, r := range rows {
			if r.Index != int64(i) || (r.Error == nil) == (r.Values == nil) {
				t.Fatalf("row %d: %+v", i, r)
			}
			if r.Error == nil && !strings.Contains(body, string(r.Values)) {
				t.Fatalf("row %d was rewritten: %s", i, r.Values)
			}
		}
	})
}
