package sheetstest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A description is the part of Google's description of an API that says what
// its answers hold.
type description struct {
	Schemas   map[string]*schema             `json:"schemas"`
	Resources map[string]describedCollection `json:"resources"`
}

type describedCollection struct {
	Methods map[string]struct {
		ID       string `json:"id"`
		Response *struct {
			Ref string `json:"$ref"`
		} `json:"response"`
	} `json:"methods"`
	Resources map[string]describedCollection `json:"resources"`
}

type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Enum                 []string           `json:"enum"`
	Items                *schema            `json:"items"`
	Properties           map[string]*schema `json:"properties"`
	AdditionalProperties *schema            `json:"additionalProperties"`
}

// descriptions are those that the official client carries.
var descriptions = sync.OnceValues(func() (map[string]*description, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		return nil, fmt.Errorf("find google.golang.org/api: %w", err)
	}
	all := map[string]*description{}
	for service, path := range map[string]string{"sheets": "sheets/v4/sheets-api.json", "drive": "drive/v3/drive-api.json"} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), path))
		if err != nil {
			return nil, err
		}
		var d description
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, err
		}
		all[service] = &d
	}
	return all, nil
})

// judge says what in an answer its method's description does not have.
func judge(tb testing.TB, method string, answer any) []string {
	tb.Helper()
	all, err := descriptions()
	if err != nil {
		tb.Fatal(err)
	}
	id, d := "sheets.spreadsheets."+strings.TrimPrefix(method, "spreadsheets."), all["sheets"]
	if method == "files.get" {
		id, d = "drive.files.get", all["drive"]
	}
	ref := d.response(d.Resources, id)
	if ref == "" {
		tb.Fatalf("there is no description of %s", id)
	}
	return d.judge(&schema{Ref: ref}, "$", answer)
}

func (d *description) response(in map[string]describedCollection, id string) string {
	for _, c := range in {
		for _, m := range c.Methods {
			if m.ID == id && m.Response != nil {
				return m.Response.Ref
			}
		}
		if ref := d.response(c.Resources, id); ref != "" {
			return ref
		}
	}
	return ""
}

func (d *description) judge(s *schema, path string, v any) []string {
	if s.Ref != "" {
		s = d.Schemas[s.Ref]
	}
	wrong := func(wanted string) []string { return []string{fmt.Sprintf("%s is %T, not %s", path, v, wanted)} }
	var bad []string
	switch s.Type {
	case "any":
	case "string":
		text, ok := v.(string)
		if !ok {
			return wrong("a string")
		}
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			return []string{fmt.Sprintf("%s is %q, which is none of %v", path, text, s.Enum)}
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrong("a boolean")
		}
	case "integer", "number":
		n, ok := v.(float64)
		if !ok || s.Type == "integer" && n != float64(int64(n)) {
			return wrong("an " + s.Type)
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			return wrong("an array")
		}
		for i, element := range list {
			bad = append(bad, d.judge(s.Items, fmt.Sprintf("%s[%d]", path, i), element)...)
		}
	case "object":
		o, ok := v.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		for name, field := range o {
			of := s.Properties[name]
			if of == nil {
				of = s.AdditionalProperties
			}
			if of == nil {
				bad = append(bad, fmt.Sprintf("%s.%s is not described", path, name))
				continue
			}
			bad = append(bad, d.judge(of, path+"."+name, field)...)
		}
	default:
		return []string{fmt.Sprintf("%s: a schema of type %q", path, s.Type)}
	}
	return bad
}

func TestTheJudgeSeesWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		method, answer string
		right          bool
	}{
		{"values.get", `{"range": "A1", "majorDimension": "ROWS", "values": [["a", 1, true]]}`, true},
		{"values.get", `{"range": "A1", "colour": "red"}`, false},
		{"values.get", `{"range": 7}`, false},
		{"values.get", `{"majorDimension": "DIAGONALS"}`, false},
		{"values.get", `{"values": [1]}`, false},
		{"spreadsheets.get", `{"sheets": [{"properties": {"index": 1.5}}]}`, false},
		{"spreadsheets.get", `{"sheets": [{"properties": {"hidden": "yes"}}]}`, false},
		{"files.get", `{"modifiedTime": "2026-11-26T10:00:00Z"}`, true},
		{"files.get", `{"modifiedTime": 5}`, false},
		{"values.get", `[]`, false},
	} {
		var answer any
		if err := json.Unmarshal([]byte(test.answer), &answer); err != nil {
			t.Fatal(err)
		}
		if bad := judge(t, test.method, answer); (len(bad) == 0) != test.right {
			t.Errorf("%s %s: %v, want right=%v", test.method, test.answer, bad, test.right)
		}
	}
}
