package bindings

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var clock = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func mustCompile(tb helper, change func(*Config)) *Binding {
	tb.Helper()
	cfg := validConfig()
	if change != nil {
		change(&cfg)
	}
	b, err := Compile(cfg, fakeTemplate{version: "v1"}, 1, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestRowBecomesItsPictures(t *testing.T) {
	b := mustCompile(t, func(c *Config) {
		c.Where = "stock > 0"
		c.Map = map[string]string{"title": "name", "price": "price * 2"}
		c.Outputs = []Output{{Name: "card"}, {Size: "story", Encoding: Encoding{Format: "jpg", Quality: 90}}}
	})
	row := map[string]any{"sku": "A-1", "name": "Shoe", "price": json.Number("21"), "stock": json.Number("3"), "note": "new", "colour": "red"}
	got := b.Propose("A-1", row, nil, clock, PriorityChange)
	card := Spec{Template: "card", Version: 1, Page: "v1/", Values: []string{"Shoe", "42", "new"}, Encoding: Encoding{Format: "png"}}
	story := Spec{Template: "card", Version: 1, Page: "v1/story", Size: "story", Values: []string{"Shoe", "42", "new"}, Encoding: Encoding{Format: "jpeg", Quality: 90}}
	want := Proposal{
		Owner: "binding/cards", Key: "A-1", Priority: PriorityChange, Digest: got.Digest,
		Wants: []Want{{"card", Fingerprint(card, 1), card}, {"story", Fingerprint(story, 1), story}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Propose (-want +got):\n%s", diff)
	}
	if len(got.Digest) != 64 {
		t.Errorf("digest %q", got.Digest)
	}
}

func TestRowThatDoesNotMeetWhereHasNoImage(t *testing.T) {
	b := mustCompile(t, func(c *Config) { c.Where = "stock > 0" })
	for _, stock := range []any{json.Number("0"), "0", json.Number("-1")} {
		p := b.Propose("a", map[string]any{"title": "x", "price": "1", "stock": stock}, nil, clock, 0)
		if !p.Remove || p.Wants != nil || p.Problem != nil {
			t.Errorf("stock %v: %+v", stock, p)
		}
	}
}

func TestFaultOfTheRowIsAProblemThatNamesTheVariable(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		row    map[string]any
		want   Problem // Message: a part of it
	}{
		{
			"missing", nil, map[string]any{"price": "1"},
			Problem{Code: "missing_variable", Field: "variables.title", Message: "the variable title is missing"},
		},
		{
			"wrong type, with the next step", nil, map[string]any{"title": "x", "price": "cheap"},
			Problem{Code: "wrong_type", Field: "variables.price", Message: `"cheap" is no number (give a number)`},
		},
		{
			"two problems", nil, map[string]any{},
			Problem{Code: "missing_variable", Field: "variables.title", Message: "is missing; also variables.price"},
		},
		{
			"a mapped column that the row does not have", func(c *Config) { c.Map = map[string]string{"title": "nmae"} }, map[string]any{"name": "x", "price": "1"},
			Problem{Code: "missing_variable", Field: "variables.title", Message: `the row has no column "nmae" (did you mean "name"?)`},
		},
		{
			"an expression that the row can't be put into", func(c *Config) { c.Map = map[string]string{"price": "price * 2"} }, map[string]any{"title": "x", "price": []any{}},
			Problem{Code: "bad_expression", Field: "variables.price", Message: ""},
		},
		{
			"where", func(c *Config) { c.Where = "stock * 2 > 0" }, map[string]any{"title": "x", "price": "1", "stock": "many"},
			Problem{Code: "bad_expression", Field: "where", Message: ""},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustCompile(t, c.change).Propose("a", c.row, nil, clock, 0)
			if p.Problem == nil || p.Wants != nil || p.Remove {
				t.Fatalf("Propose = %+v, want a problem", p)
			}
			if p.Problem.Code != c.want.Code || p.Problem.Field != c.want.Field || !strings.Contains(p.Problem.Message, c.want.Message) {
				t.Errorf("problem %+v, want %+v", *p.Problem, c.want)
			}
		})
	}
}

func TestClockIsReadOnlyWhereSomethingMovesIt(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Scheduled = true },
		func(c *Config) { c.Refresh = config.Duration(time.Hour) },
	} {
		cfg := validConfig()
		change(&cfg)
		cfg.Where, cfg.Map = "now() > 0 or true", map[string]string{"title": "name + date(now(), ' HH:mm')"}
		b, err := Compile(cfg, fakeTemplate{clock: true}, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		kathmandu, err := time.LoadLocation("Asia/Kathmandu")
		if err != nil {
			t.Fatal(err)
		}
		row := map[string]any{"sku": "A", "name": "Mug", "price": json.Number("1"), "stock": json.Number("1")}
		at := func(hour int) Proposal {
			moved := b.At(time.Date(2026, time.October, 1, hour, 0, 0, 0, kathmandu))
			return moved.Propose("A", row, nil, time.Now(), PriorityChange)
		}
		if six := at(6); six.Digest == at(7).Digest || six.Digest != at(6).Digest || !strings.Contains(strings.Join(six.Wants[0].Spec.Values, " "), "Mug 06:00") {
			t.Errorf("at six it wants %+v", six)
		}
	}
	still := mustCompile(t, func(c *Config) { c.Scheduled = true })
	if still.At(time.Now()) != still {
		t.Error("a binding that does not read the clock is another one by another clock")
	}
}

func TestBindingThatCannotWorkIsRefusedWithEveryProblem(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		tmpl   fakeTemplate
		want   []string // path: part of the message
	}{
		{"unknown variable", func(c *Config) { c.Map = map[string]string{"titel": "name"} }, fakeTemplate{}, []string{`map.titel: did you mean "title"`}},
		{"variable of another template", func(c *Config) { c.Map = map[string]string{"recipient": "name"} }, fakeTemplate{}, []string{"map.recipient: title, price, note"}},
		{"unknown size", func(c *Config) { c.Outputs = []Output{{}, {Size: "stroy"}} }, fakeTemplate{}, []string{`outputs[1].size: did you mean "story"`}},
		{"no expression", func(c *Config) { c.Where = "stock >" }, fakeTemplate{}, []string{"where: "}},
		{"two that are none", func(c *Config) { c.Map = map[string]string{"title": "((", "price": "1 +"} }, fakeTemplate{}, []string{"map.title: ", "map.price: "}},
		{"clock in the template", nil, fakeTemplate{clock: true}, []string{"template: reads the clock"}},
		{"clock in where", func(c *Config) { c.Where = "date < now()" }, fakeTemplate{}, []string{"where: reads the clock"}},
		{"clock in map", func(c *Config) { c.Map = map[string]string{"title": "now()"} }, fakeTemplate{}, []string{"map.title: reads the clock"}},
		{"its own problems and those with the template", func(c *Config) {
			c.OnDelete, c.Map, c.Outputs = "purge", map[string]string{"titel": "a"}, []Output{{Encoding: Encoding{Format: "bmp"}}}
		}, fakeTemplate{}, []string{"on_delete: purge", "outputs[0].format: bmp", "map.titel: titel"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := validConfig()
			if c.change != nil {
				c.change(&cfg)
			}
			_, err := Compile(cfg, c.tmpl, 1, 1)
			got := listOf(err)
			if len(got) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(got), len(c.want), got)
			}
			for i, want := range c.want {
				path, text, _ := strings.Cut(want, ": ")
				if got[i].Path != path || !strings.Contains(got[i].Error(), text) {
					t.Errorf("problem %d is %q, want %q", i, got[i], want)
				}
				if got[i].Pos != (problem.Position{}) {
					t.Errorf("problem %d has the position %v, which is not of the file", i, got[i].Pos)
				}
			}
		})
	}
}

func TestBindingDigestChangesWithWhatItsImagesHangOn(t *testing.T) {
	digest := func(change func(*Config), version string, number, epoch int64) string {
		cfg := validConfig()
		if change != nil {
			change(&cfg)
		}
		b, err := Compile(cfg, fakeTemplate{version: version}, number, epoch)
		if err != nil {
			t.Fatal(err)
		}
		return b.Digest()
	}
	base := digest(nil, "v1", 1, 1)
	for name, same := range map[string]string{
		"sinks":     digest(func(c *Config) { c.Sinks = []string{"a"} }, "v1", 1, 1),
		"guard":     digest(func(c *Config) { c.Guard.Floor = 1 }, "v1", 1, 1),
		"on_delete": digest(func(c *Config) { c.OnDelete = Remove }, "v1", 1, 1),
		"public":    digest(func(c *Config) { c.Public = true }, "v1", 1, 1),
		"spelled-out defaults": digest(func(c *Config) {
			c.Outputs = []Output{{Name: "png", Size: "default", Encoding: Encoding{Format: "png"}}}
		}, "v1", 1, 1),
	} {
		if same != base {
			t.Errorf("%s: planned again for nothing", name)
		}
	}
	for name, other := range map[string]string{
		"where":    digest(func(c *Config) { c.Where = "true" }, "v1", 1, 1),
		"map":      digest(func(c *Config) { c.Map = map[string]string{"title": "title"} }, "v1", 1, 1),
		"outputs":  digest(func(c *Config) { c.Outputs = []Output{{Encoding: Encoding{Format: "jpg"}}} }, "v1", 1, 1),
		"source":   digest(func(c *Config) { c.Source = "other" }, "v1", 1, 1),
		"template": digest(nil, "v2", 2, 1),
		"epoch":    digest(nil, "v1", 1, 2),
	} {
		if other == base {
			t.Errorf("%s: not planned again", name)
		}
	}
}

func TestColumnsAreThoseThatExpressionsAndVariablesRead(t *testing.T) {
	b := mustCompile(t, func(c *Config) {
		c.Where = "stock > 0"
		c.Map = map[string]string{"title": `brand + " " + name`}
	})
	got, all := b.Columns()
	if diff := cmp.Diff([]string{"brand", "name", "note", "price", "stock"}, got); diff != "" || all {
		t.Errorf("Columns, all %v (-want +got):\n%s", all, diff)
	}
}

func TestStoredRowsArePlannedAgainAsTheyWereRead(t *testing.T) {
	b := mustCompile(t, nil)
	row := map[string]any{"title": "x", "price": json.Number("1.50"), "other": nil}
	stored := []StoredRow{{Key: "a", Values: mustCanonical(t, row)}}
	rows, err := ReadRows(stored)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Proposal{b.Propose("a", row, nil, clock, PriorityReplan)}, b.ProposeAll(stored, rows, nil, clock)); diff != "" {
		t.Errorf("ProposeAll (-read +stored):\n%s", diff)
	}
	if _, err := ReadRows([]StoredRow{{Key: "a", Values: []byte("{")}}); err == nil {
		t.Error("a stored row that is broken was read")
	}
}

func TestProposalsWithTheSameDigestWantTheSame(t *testing.T) {
	wants := []Want{{Output: "a", Fingerprint: "1"}, {Output: "b", Fingerprint: "2"}}
	swapped := []Want{{Output: "b", Fingerprint: "2"}, {Output: "a", Fingerprint: "1"}}
	renamed := []Want{{Output: "a", Fingerprint: "1"}, {Output: "c", Fingerprint: "2"}}
	all := map[string]Proposal{
		"wants":            wanting("binding/a", "k", wants),
		"in other order":   wanting("binding/a", "k", swapped),
		"under other name": wanting("binding/a", "k", renamed),
		"one less":         wanting("binding/a", "k", wants[:1]),
		"none":             wanting("binding/a", "k", nil),
		"problem":          Refused("binding/a", "k", Problem{Code: "a", Field: "b", Message: "c"}),
		"other problem":    Refused("binding/a", "k", Problem{Code: "a", Field: "b", Message: "d"}),
		"removal":          removal("binding/a", "k"),
	}
	seen := map[string]string{}
	for name, p := range all {
		if other, twice := seen[p.Digest]; twice {
			t.Errorf("%q and %q have one digest", name, other)
		}
		seen[p.Digest] = name
	}
	if wanting("binding/a", "k", wants).Digest != wanting("job/b", "other", wants).Digest {
		t.Error("the owner or the key is in the digest")
	}
}

func TestColumnThatIsNullIsNotMissing(t *testing.T) {
	b := mustCompile(t, nil)
	got, _ := b.values(joint{row: map[string]any{"title": "x", "note": nil, "other": "y"}}, b.own, clock)
	if diff := cmp.Diff(map[string]any{"title": "x", "note": nil}, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
