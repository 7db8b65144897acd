package config_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestEveryFeatureDecodes(t *testing.T) {
	got, n, err := read(t, "testdata/everything.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	origin, spare := "https://example.org", config.NewSecret(fileToken)
	extra, _ := n.Child("extra")
	want := settings{
		Server: server{
			Name: "1.10", Port: 8080, Workers: 255, Ratio: 2.5, Idle: config.Duration(time.Hour), Cache: 1024, Share: 0.125,
			Public: true, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
			Origin: &origin, Token: config.NewSecret("bearer " + envToken), Spare: &spare,
		},
		Templates: folder{Path: "cards/", Write: true},
		Keep:      &keep{Results: config.Duration(30 * 24 * time.Hour), MinFree: 2e9},
		Secrets: map[string]secret{
			"shop":  {Value: config.NewSecret(fileToken), API: true},
			"plain": {Value: config.NewSecret("${TOKEN}")},
		},
		Headers: map[string]string{"X-One": "true", "X-Two": "two\nlines\n"},
		Bindings: []binding{
			{
				common: common{Name: "cards", Key: config.Strings{"shop", "sku"}}, Template: "card",
				Outputs: []output{{Format: "png"}, {Format: "jpeg", Size: "story"}}, Guard: guard{MaxChanged: 0.5, Floor: 1000},
			},
			{common: common{Name: "fallback", Key: config.Strings{"sku"}}, Template: "yes"},
		},
		Extra: extra,
		Rows: []any{map[string]any{
			"id": json.Number("1"), "price": json.Number("9.90"), "name": "Ada", "code": "7", "gone": nil, "ok": false, "when": "2024-01-01",
		}},
		Sources: got.Sources,
		Later:   got.Later,
	}
	if diff := difference(want, got); diff != "" {
		t.Errorf("settings differ (-want +got):\n%s", diff)
	}
}

func TestCapturedNodesDecodeLater(t *testing.T) {
	got, _, err := read(t, "testdata/everything.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type source struct {
		Kind  string          `yaml:"kind"`
		Every config.Duration `yaml:"every"`
	}
	for name, want := range map[string]source{
		"feed": {Kind: "http", Every: config.Duration(30 * time.Second)},
		"copy": {Kind: "http", Every: config.Duration(5 * time.Minute)},
	} {
		var s source
		if err := got.Sources[name].Decode(&s); err != nil || s != want {
			t.Errorf("source %s: got %+v, %v; want %+v", name, s, err, want)
		}
	}
	err = got.Sources["catalog"].Decode(&source{})
	want := `everything.good.yaml:25:26: sources.catalog: unknown key "path" (known keys are kind, every)`
	if err == nil || err.Error() != want {
		t.Errorf("source catalog: got %v, want %s", err, want)
	}
	if kind, ok := got.Sources["catalog"].Scalar("kind"); kind != "file" || !ok {
		t.Errorf("kind of catalog: got %q, %v", kind, ok)
	}
}

func TestDefaultsStandWhereNothingIsWritten(t *testing.T) {
	for _, file := range []string{"empty", "comment", "empty_sections"} {
		got, _, err := read(t, "testdata/"+file+".good.yaml")
		if err != nil {
			t.Fatal(err)
		}
		got.Extra, got.Sources = config.Node{}, nil
		if diff := difference(defaults(), got); diff != "" {
			t.Errorf("%s: settings differ (-want +got):\n%s", file, diff)
		}
	}
}

func TestGivenListsReplaceTheirDefaults(t *testing.T) {
	got := struct {
		List config.Strings    `yaml:"list"`
		Map  map[string]string `yaml:"map"`
		Kept []int             `yaml:"kept"`
	}{List: config.Strings{"a", "b"}, Map: map[string]string{"a": "1"}, Kept: []int{1}}
	if err := mustParse(t, "list: c\nmap: { b: 2 }\nkept:\n").Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got.List) != 1 || len(got.Map) != 1 || got.Map["b"] != "2" || len(got.Kept) != 1 {
		t.Errorf("got %+v", got)
	}
}

type needy struct {
	URL string `yaml:"url"`
}

func (n needy) Validate() error {
	if n.URL == "" {
		return problem.New(problem.Invalid, "a URL is wanted").At("url")
	}
	return nil
}

func TestSectionThatIsLeftOutIsStillValidated(t *testing.T) {
	var s struct {
		Outer struct {
			Store needy `yaml:"store"`
		} `yaml:"outer"`
		Other    int    `yaml:"other"`
		Optional *needy `yaml:"optional"`
	}
	err := mustParse(t, "\nother: 1\n").Decode(&s)
	if want := "test.yaml:2:1: outer.store.url: a URL is wanted"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

type alsoNeedy struct {
	Name string `yaml:"name"`
}

func (alsoNeedy) Validate() error { return errors.New("never content") }

func TestEmbeddedStructsAreValidatedOnce(t *testing.T) {
	var promoted struct{ needy }
	err := mustParse(t, "{}").Decode(&promoted)
	if want := "test.yaml:1:1: url: a URL is wanted"; err == nil || err.Error() != want {
		t.Errorf("promoted: got %v, want %s", err, want)
	}
}

// Both embeds two structs that could validate, so that Go promotes neither method.
type Both struct {
	Needy
	AlsoNeedy
}

type (
	// Needy is exported, because reflection calls no methods of fields that are not.
	Needy struct{ needy }
	// AlsoNeedy is the other.
	AlsoNeedy struct{ alsoNeedy }
)

func TestEmbeddedStructsThatHideEachOtherAreAllValidated(t *testing.T) {
	err := mustParse(t, "{ name: x }").Decode(&Both{})
	want := "test.yaml:1:1: url: a URL is wanted\ntest.yaml:1:1: never content"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEveryProblemOfAJoinedErrorIsReported(t *testing.T) {
	var s struct {
		A joined `yaml:"a"`
	}
	err := mustParse(t, "a: { b: 1 }").Decode(&s)
	want := "test.yaml:1:4: a: first\ntest.yaml:1:9: a.b: second"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, p := range problem.All(err) {
		if p.Code != problem.Invalid {
			t.Errorf("code of %v: got %s, want %s", p, p.Code, problem.Invalid)
		}
	}
}

type joined struct {
	B int `yaml:"b"`
}

func (joined) Validate() error {
	return errors.Join(errors.New("first"), problem.List{problem.New(problem.Invalid, "second").At("b")})
}

func TestTypesThatCannotBeDecodedAreAFaultOfTheProgram(t *testing.T) {
	n := mustParse(t, "a: 1")
	for name, into := range map[string]any{
		"nothing":    nil,
		"no pointer": settings{},
		"nil":        (*settings)(nil),
		"channel": new(struct {
			A chan int `yaml:"a"`
		}),
		"interface": new(struct {
			A error `yaml:"a"`
		}),
		"bounds": new(struct {
			A string `yaml:"a" min:"1"`
		}),
		"bound": new(struct {
			A int `yaml:"a" max:"many"`
		}),
	} {
		if err := n.Decode(into); problem.CodeOf(err) != problem.Internal || !strings.HasPrefix(err.Error(), "test.yaml:1:") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestZeroNodeDecodesToDefaults(t *testing.T) {
	s := defaults()
	if err := (config.Node{}).Decode(&s); err != nil {
		t.Fatal(err)
	}
	if s.Server.Port != 80 {
		t.Errorf("got port %d", s.Server.Port)
	}
	if err := (config.Node{}).Decode(&needy{}); err == nil || err.Error() != "url: a URL is wanted" {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsReachedWithoutOptions(t *testing.T) {
	n, err := config.Parse("api", []byte("server: { name: \"${PATH}\", token_file: /etc/hostname }"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := defaults()
	want := []string{
		"api:1:17: server.name: environment variable PATH is not set (set it, or write ${PATH:-default})",
		`api:1:40: server.token_file: read file "/etc/hostname": files are not read here`,
	}
	if err := n.Decode(&s); err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestSizesThatExhaustTheParserAreRefused(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		n := string(rune('0' + i))
		bomb += "a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Repeat("*a"+n+", ", 10) + "]\n"
	}
	for name, c := range map[string]struct{ src, want string }{
		"file":    {strings.Repeat("#\n", 1<<19+1), "the file is larger than 1 MiB"},
		"flow":    {strings.Repeat("[", 101), "nested too deeply"},
		"block":   {strings.Repeat("- ", 1000), "nested too deeply"},
		"keys":    {strings.Repeat("? ", 1000), "nested too deeply"},
		"list":    {strings.Repeat("- a\n", 20_001), "more than 20000 values"},
		"aliases": {bomb, "more than 20000 values"},
	} {
		_, err := config.Parse("test.yaml", []byte(c.src), options())
		if list := problem.All(err); len(list) != 1 || !strings.Contains(list[0].Message, c.want) || list[0].Pos.Line == 0 {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	for name, src := range map[string]string{
		"file": strings.Repeat("#\n", 1<<19),
		"flow": strings.Repeat("[", 100) + strings.Repeat("]", 100),
		"list": strings.Repeat("- a\n", 19_999),
	} {
		if _, err := config.Parse("test.yaml", []byte(src), options()); err != nil {
			t.Errorf("%s just within its bound: %v", name, err)
		}
	}
}

func TestRawJSONIsKeptAsItStands(t *testing.T) {
	root, err := config.Parse("x.yaml", []byte("variables: { title: Spring, price: 9.90, code: \"7\", list: [a, 1, true, null], token: \"${TOKEN}\" }\n"), config.Options{
		Env: func(name string) (string, bool) { return "x" + name, name == "TOKEN" },
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Variables map[string]json.RawMessage `yaml:"variables"`
	}
	if err := root.Decode(&got); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got.Variables)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"code":"7","list":["a",1,true,null],"price":9.90,"title":"Spring","token":"xTOKEN"}`; string(text) != want {
		t.Errorf("raw is %s, want %s", text, want)
	}
	if root, err = config.Parse("x.yaml", []byte("variables: { title: [\"${GONE}\"] }\n"), config.Options{Env: func(string) (string, bool) { return "", false }}); err != nil {
		t.Fatal(err)
	}
	if err := root.Decode(&got); err == nil || !strings.Contains(err.Error(), "GONE") {
		t.Errorf("a variable that is not set was %v", err)
	}
}
