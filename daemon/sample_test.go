package daemon

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/sink"
)

// keysOf are the keys that t takes in YAML, and those of what it holds.
func keysOf(t reflect.Type, all map[string]bool, around ...reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || !strings.HasPrefix(t.PkgPath(), strings.TrimSuffix(module, "/")) {
		return
	}
	for _, before := range around {
		if before == t {
			return
		}
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || name == "" && !f.Anonymous && f.Tag.Get("yaml") == "" {
			continue
		}
		if name != "" {
			all[name] = true
		}
		keysOf(f.Type, all, append(around, t)...)
	}
}

// The annotated configuration names every key: each in the section, and for
// sources and sinks in the kind, that it is of.
func TestSampleConfigurationHasEveryKey(t *testing.T) {
	data, err := os.ReadFile("../pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	between := func(from, to string) string {
		_, text, found := strings.Cut(text, from)
		if !found {
			t.Fatalf("there is no %q", from)
		}
		text, _, _ = strings.Cut(text, to)
		return text
	}
	names := func(text, key string) bool { return regexp.MustCompile(`\b` + key + `\b`).MatchString(text) }
	want := func(what, text string, of any, but map[string]bool) {
		t.Helper()
		all := map[string]bool{}
		keysOf(reflect.TypeOf(of), all)
		for key := range all {
			if !but[key] && !names(text, key) {
				t.Errorf("%s: %s is not in pictifyd.yaml", what, key)
			}
		}
	}
	sources, sinks := between("\nsources:\n", "\nsinks:\n"), between("\nsinks:\n", "\nbindings:\n")
	doc, binding := defaults(), bindings.DefaultConfig()
	want("the file", text, &doc, nil)
	want("bindings", between("\nbindings:\n", "\x00"), &binding, nil)
	common := map[string]bool{} // they stand once, at the first kind
	keysOf(reflect.TypeFor[connectors.Common](), common)
	keysOf(reflect.TypeFor[poll.Layout](), common)
	delete(common, "rows")
	want("sources", sources, connectors.Common{}, nil)
	kinds := func(text, name string) string {
		for _, part := range regexp.MustCompile(`(?m)^[ #]*kind: `).Split(text, -1)[1:] {
			if regexp.MustCompile(`^` + name + `\b`).MatchString(part) {
				return part
			}
		}
		t.Errorf("there is no kind %s", name)
		return text
	}
	for _, kind := range Connectors() {
		want("source "+kind.Name, kinds(sources, kind.Name), kind.Config(), common)
	}
	want("sinks", sinks, sink.Common{}, nil)
	for _, kind := range Sinks() {
		want("sink "+kind.Name, kinds(sinks, kind.Name), kind.Config(), map[string]bool{"kind": true, "disable_after": true})
	}
}

// What is commented out there works as it stands.
func TestSourcesAndSinksOfTheSampleWork(t *testing.T) {
	data, err := os.ReadFile("../pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^  # ( *[a-z_]+:)`).ReplaceAllString(string(data), "  $1")
	text, _, _ = strings.Cut(text, "\nbindings:")
	_, sections, _ := strings.Cut(text, "\nsources:")
	sections = strings.Replace("sources:"+sections, "credentials_file: sa.json", "timeout: 30s", 1)
	s, err := decode("pictifyd.yaml", []byte(sections), config.Options{Env: func(string) (string, bool) { return "a-secret-of-the-environment", true }}, Connectors(), Sinks())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Sources) != len(Connectors()) || len(s.Sinks) != len(Sinks()) {
		t.Errorf("%d sources and %d sinks of %d and %d kinds", len(s.Sources), len(s.Sinks), len(Connectors()), len(Sinks()))
	}
}

// The tables of the pages of sources say what is so without a word of the user.
func TestDefaultsInTheDocsAreThose(t *testing.T) {
	for _, c := range []struct {
		file, want string
		is         config.Duration
	}{
		{"http.md", "`every` (%v)", base(t, "http").Every},
		{"files.md", "default `%v` |", base(t, "file").Every},
		{"sheets.md", "between readings, %v |", base(t, "sheets").Every},
		{"postgres.md", "default `%v`;", base(t, "postgres").Every},
	} {
		text, err := os.ReadFile("../docs/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		short := regexp.MustCompile(`m0s$`).ReplaceAllString(c.is.Std().String(), "m")
		if want := fmt.Sprintf(c.want, short); !strings.Contains(string(text), want) {
			t.Errorf("docs/%s does not say %q", c.file, want)
		}
	}
}

func base(t *testing.T, kind string) *connectors.Common {
	t.Helper()
	k, ok := Connectors().Find(kind)
	if !ok {
		t.Fatalf("there is no kind %s", kind)
	}
	return k.Config().Base()
}
