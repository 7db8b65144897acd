package poll_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

func asJSON(rows string) poll.Layout { return poll.Layout{Format: poll.JSON, Rows: rows} }

func TestRowsAreFoundAtTheirPath(t *testing.T) {
	want := []map[string]any{{"id": "1"}, {"id": "2"}}
	const rows = `[{"id":"1"},{"id":"2"}]`
	for name, c := range map[string]struct{ path, text string }{
		"default":          {"", rows},
		"document":         {"$", " \n" + rows + "\n "},
		"BOM":              {"$", "\ufeff" + rows},
		"UTF-16":           {"$", inUTF16(rows, true)},
		"name":             {"$.items", `{"next":[{"id":9}],"items":` + rows + `,"more":{"items":[1]}}`},
		"deep":             {"$.a.b[1].rows", `{"a":{"b":[{"rows":[]},{"x":null,"rows":` + rows + `},7]},"z":[[]]}`},
		"quoted name":      {"$['odd name']", `{"odd name":` + rows + `}`},
		"last star":        {"$.items[*]", `{"items":` + rows + `}`},
		"array of arrays":  {"$[1]", `[[], ` + rows + `, []]`},
		"escaped name":     {"$.ä", `{"\u00e4":` + rows + `}`},
		"large sibling":    {"$.items", `{"x":[` + strings.Repeat(`"`+strings.Repeat("x", 1<<20)+`",`, 45) + `0],"items":` + rows + `}`},
		"no name in front": {"$['']", `{"":` + rows + `}`},
	} {
		t.Run(name, func(t *testing.T) { mustEqual(t, want, rowsOf(mustDecode(t, asJSON(c.path), c.text))) })
	}
}

func TestJSONKeepsTypesAndDigits(t *testing.T) {
	got := mustDecode(t, asJSON(""), `[{"n":10.00,"big":12345678901234567890,"e":1E400,"b":true,"z":null,"l":[1,{"x":"y"}]}]`)
	mustEqual(t, []map[string]any{{
		"n": json.Number("10.00"), "big": json.Number("12345678901234567890"), "e": json.Number("1E400"),
		"b": true, "z": nil, "l": []any{json.Number("1"), map[string]any{"x": "y"}},
	}}, rowsOf(got))
}

func TestPositionIsThePathOfTheElement(t *testing.T) {
	got := mustDecode(t, asJSON("$.a['b c'][0]"), `{"a":{"b c":[[{"id":1},{"id":2}]]}}`)
	mustEqual(t, []string{"$.a['b c'][0][0]", "$.a['b c'][0][1]"}, []string{got[0].Position, got[1].Position})
}

func TestElementThatIsNoObjectIsAFault(t *testing.T) {
	got := mustDecode(t, asJSON(""), `[{"id":1}, 7, null, "x", [{"id":2}], false, {"id":3}]`)
	mustEqual(t, []string{
		"$[1] bad_record: a number, not an object",
		"$[2] bad_record: null, not an object",
		"$[3] bad_record: a string, not an object",
		"$[4] bad_record: an array, not an object",
		"$[5] bad_record: a boolean, not an object",
	}, faultsOf(got))
	mustEqual(t, 2, len(rowsOf(got)))
}

func TestLargeElementIsAFaultAndTheRestIsRead(t *testing.T) {
	got := mustDecode(t, asJSON(""), `[{"a":"`+strings.Repeat("x", 11<<20)+`"},{"a":"y"}]`)
	mustEqual(t, []string{"$[0] too_large: larger than 10 MB"}, faultsOf(got))
	mustEqual(t, []map[string]any{{"a": "y"}}, rowsOf(got))
}

func TestEmptyArrayHasNoRows(t *testing.T) {
	mustEqual(t, []poll.Element(nil), mustDecode(t, asJSON("$.items"), `{"items":[]}`))
}

func TestPathThatIsNotThereNamesWhatIs(t *testing.T) {
	for name, c := range map[string]struct {
		path, text string
		words      []string
	}{
		"renamed":          {"$.items", `{"products":[{"id":1}],"next":null}`, []string{"$.items", `"products", "next"`}},
		"deep":             {"$.data.items", `{"data":{"rows":[]}}`, []string{"$.data.items", "$.data has", `"rows"`}},
		"empty object":     {"$.items", `{}`, []string{"$ is an empty object"}},
		"array on the way": {"$.items", `[{"id":1}]`, []string{"$ is an array, not an object"}},
		"object for index": {"$[0]", `{"a":1}`, []string{"$ is an object, not an array"}},
		"short array":      {"$[2]", `[[],[]]`, []string{"$ has 2 elements"}},
		"shorter array":    {"$[2]", `[[]]`, []string{"$ has 1 elements"}},
		"object at end":    {"$", `{"error":"x","items":[]}`, []string{"$ is an object", `"error", "items"`, "$.items"}},
		"null at end":      {"$.items", `{"items":null}`, []string{"$.items is null"}},
		"text at end":      {"$.items", `{"items":"soon"}`, []string{"$.items is a string"}},
		"many names":       {"$.x", `{` + strings.Repeat(`"name":1,`, 200) + `"z":1}`, []string{"…"}},
	} {
		t.Run(name, func(t *testing.T) {
			elements, err := decode(asJSON(c.path), c.text)
			mustProblem(t, err, 0, c.words...)
			if len(elements) > 0 {
				t.Errorf("got %d elements", len(elements))
			}
		})
	}
}

func TestDocumentThatIsNotWholeIsAnErrorAfterItsRows(t *testing.T) {
	const whole = `{"meta":{"n":[1,2]},"items":[{"id":1},{"id":2}],"next":[{"x":"y"}]}`
	for cut := range len(whole) {
		elements, err := decode(asJSON("$.items"), whole[:cut])
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: got %v, want a document that breaks off", whole[:cut], err)
		}
		if want := strings.Count(whole[:cut], `},{"id"`) + strings.Count(whole[:cut], `}],"n`); cut > 40 && len(elements) < want {
			t.Errorf("%q: got %d elements before the end, want at least %d", whole[:cut], len(elements), want)
		}
	}
}

func TestDoubtfulJSONIsAnErrorWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		path, text string
		line       int
		words      string
	}{
		"not JSON":         {"", "nonsense", 1, "not JSON"},
		"HTML":             {"", "<html></html>", 1, "not JSON"},
		"broken element":   {"", "[{\"id\":1},\n{\"id\":}]", 2, "not JSON"},
		"trailing comma":   {"", "[{\"id\":1},\n]", 2, "not JSON"},
		"broken sibling":   {"$.items", "{\"items\":[],\n\"x\":flase}", 2, "not JSON"},
		"wrong bracket":    {"$.items", "{\"items\":[]]", 1, "not JSON"},
		"more documents":   {"", "[{\"id\":1}]\n[{\"id\":2}]", 2, "ndjson"},
		"rows twice":       {"$.items", `{"items":[],"items":[{"id":1}]}`, 1, "twice"},
		"Latin-1":          {"", "[{\"id\":\n\"\xf6\"}]", 2, "UTF-8"},
		"huge element":     {"", `[{"a":"` + strings.Repeat("x", 41<<20) + `"}]`, 1, "larger than 40 MB"},
		"deep sibling":     {"$.items", `{"x":` + strings.Repeat("[", 10001), 1, "deeper"},
		"nothing":          {"", "", 1, "breaks off"},
		"nothing but line": {"", "\n", 2, "breaks off"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(asJSON(c.path), c.text)
			mustProblem(t, err, c.line, c.words)
		})
	}
}

func TestLinesAreRows(t *testing.T) {
	got := mustDecode(t, poll.Layout{Format: poll.NDJSON}, "{\"id\":1}\r\n\n {\"id\":2.50} \n{\"id\":3}")
	mustEqual(t, []map[string]any{{"id": json.Number("1")}, {"id": json.Number("2.50")}, {"id": json.Number("3")}}, rowsOf(got))
	mustEqual(t, "line 3", got[1].Position)
}

func TestBrokenLineIsAFault(t *testing.T) {
	got := mustDecode(t, poll.Layout{Format: poll.NDJSON},
		"{\"id\":1}\n{\"id\":\n[1]\n{} {}\n{\"id\":\""+strings.Repeat("x", 10<<20)+"\"}\n{\"id\":2}\n")
	mustEqual(t, []string{
		"line 2 bad_record: not JSON: unexpected EOF",
		"line 3 bad_record: an array, not an object",
		"line 4 bad_record: not JSON: there is more after the value",
		"line 5 too_large: larger than 10 MB",
	}, faultsOf(got))
	mustEqual(t, 2, len(rowsOf(got)))
}

func TestLastLineThatIsCutIsAnError(t *testing.T) {
	elements, err := decode(poll.Layout{Format: poll.NDJSON}, "{\"id\":1}\n{\"id\":2,\"na")
	mustProblem(t, err, 2, "breaks off")
	mustEqual(t, 1, len(elements))
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []struct{ rows, text string }{
		{"$", `[{"id":1.0,"x":[null,true,"\ud800"]}]`}, {"$.items", `{"a":[],"items":[{"id":"1"},2]}`},
		{"$.a.b[0].rows", `{"a":{"b":[{"rows":[{}]}]}}`}, {"$['x']", `{"x":[`}, {"$[1]", `[[],[{"":{}}]]`}, {"$", `[{}],`},
	} {
		f.Add(seed.rows, seed.text)
	}
	f.Fuzz(func(t *testing.T, rows, text string) {
		elements, err := decode(asJSON(rows), text)
		if err != nil {
			return
		}
		first := rowsOf(elements)
		again, err := json.Marshal(append([]map[string]any{}, first...))
		if err != nil {
			t.Fatalf("marshal rows of %q: %v", text, err)
		}
		second, err := decode(asJSON("$"), string(again))
		if err != nil {
			t.Fatalf("decode %q, written of %q: %v", again, text, err)
		}
		if diff := cmp.Diff(first, rowsOf(second)); diff != "" {
			t.Fatalf("%q (-first +again):\n%s", text, diff)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"$", "$.a.b[0]['x y'].rows[*]", "$[", "$..a", "$.a]", "$['']", "$[-1]", "$[99999999999]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rows string) {
		if len(asJSON(rows).Problems()) > 0 {
			return
		}
		if _, err := decode(asJSON(rows), `{"a":{"b":[{"x y":{"rows":[{}]}}]}}`); err != nil && strings.Contains(err.Error(), "not a path") {
			t.Errorf("path %q passes and is then refused: %v", rows, err)
		}
	})
}
