package bindings

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// shelf is the rows of other sources, by source and key, as JSON.
type shelf map[string]map[string]string

// join answers what a binding needs, as the daemon does, and tells what was asked.
func (s shelf) join(tb testing.TB, needsFunc func(*Joined) Needs) (j *Joined, asked []string) {
	tb.Helper()
	j = &Joined{}
	for range 10 {
		needs := needsFunc(j)
		if len(needs) == 0 {
			return j, asked
		}
		for source := range needs {
			var rows []StoredRow
			for _, key := range needs.Keys(source) {
				asked = append(asked, source+"/"+key)
				if values, ok := s[source][key]; ok {
					rows = append(rows, StoredRow{Key: key, Values: []byte(values), Digest: Digest([]byte(values))})
				}
			}
			if err := j.Tell(source, needs.Keys(source), rows); err != nil {
				tb.Fatal(err)
			}
		}
	}
	tb.Fatal("it needs rows without end")
	return nil, nil
}

func (s shelf) propose(tb testing.TB, b *Binding, row map[string]any) Proposal {
	tb.Helper()
	j, _ := s.join(tb, func(j *Joined) Needs { return b.Needs(j, row) })
	return b.Propose("k", row, j, clock, 0)
}

var stock = shelf{
	"brands": {
		"7":  `{"id":"7","name":"Acme","country":"de","logo":"a.png"}`,
		"8":  `{"id":"8","name":"Bolt","country":"fr"}`,
		"9":  `{"id":"9","name":"Cord"}`,
		"de": `{"id":"de","name":"a brand of that key"}`,
	},
	"countries": {"de": `{"name":"Germany"}`},
	"prices":    {"7,eur": `{"amount":"12.50"}`},
}

// joining is a binding with lookups, whose title shows what was joined.
func joining(tb testing.TB, lookups map[string]Lookup, title string, more ...func(*Config)) *Binding {
	tb.Helper()
	return mustCompile(tb, func(c *Config) {
		c.Lookups = lookups
		c.Map = map[string]string{"title": title}
		for _, change := range more {
			change(c)
		}
	})
}

func brand(key ...string) map[string]Lookup {
	return map[string]Lookup{"brand": {Source: "brands", Key: key}}
}

func TestLookupJoinsTheRowOfItsKey(t *testing.T) {
	chain := map[string]Lookup{
		"land":  {Source: "countries", Key: config.Strings{"brand.country"}}, // before the other by name
		"brand": {Source: "brands", Key: config.Strings{"brand_id"}},
	}
	for _, c := range []struct {
		name    string
		lookups map[string]Lookup
		title   string
		row     map[string]any
		want    string // of the title, or a part of the problem
		reads   string
	}{
		{"by a column", brand("brand_id"), "brand.name", map[string]any{"brand_id": "7"}, "Acme", "brands/7"},
		{"a number is the key of its text", brand("brand_id"), "brand.name", map[string]any{"brand_id": json.Number("7")}, "Acme", "brands/7"},
		{"a computed number too", brand("brand_id + 1"), "brand.name", map[string]any{"brand_id": "6"}, "Acme", "brands/7"},
		{"by an expression", brand(`split(ref, "-")[1]`), "brand.name", map[string]any{"ref": "b-8"}, "Bolt", "brands/8"},
		{"by a column of the lookup's own name, which it hides", brand("brand"), "brand.name", map[string]any{"brand": "7"}, "Acme", "brands/7"},
		{"composite", map[string]Lookup{"price": {Source: "prices", Key: config.Strings{"brand_id", "lower(currency)"}}}, "price.amount", map[string]any{"brand_id": "7", "currency": "EUR"}, "12.50", "prices/7,eur"},
		{"in a chain", chain, "land.name", map[string]any{"brand_id": "7"}, "Germany", "brands/7 countries/de"},
		{"a chain that ends early", chain, `land?.name ?? "nowhere"`, map[string]any{"brand_id": "9"}, "nowhere", "brands/9"},
		{"missing is null", brand("brand_id"), `brand?.name ?? "no brand"`, map[string]any{"brand_id": "1"}, "no brand", "brands/1"},
		{"no key is null", brand("brand_id"), `brand?.name ?? "no brand"`, map[string]any{"brand_id": nil}, "no brand", ""},
		{"no column is null", brand("brand_id"), `brand?.name ?? "no brand"`, map[string]any{}, "no brand", ""},
		{"read in vain", brand("brand_id"), "brand.name", map[string]any{"brand_id": "1"}, `the source "brands" has no row with the key "1", which the lookup "brand" asks for`, "brands/1"},
		{"read without a key", brand("brand_id"), "brand.name", map[string]any{}, `the lookup "brand" has no key to look for`, ""},
		{"a key that is none", brand("brand_id"), `"x"`, map[string]any{"brand_id": []any{"7"}}, `the key of the lookup "brand" is none`, ""},
		{"a key that fails", brand("brand_id * 2"), `"x"`, map[string]any{"brand_id": "many"}, "many", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.row["price"] = "1"
			p := stock.propose(t, joining(t, c.lookups, c.title), c.row)
			switch {
			case p.Problem != nil:
				if !strings.Contains(p.Problem.Message, c.want) {
					t.Errorf("problem %+v, want %q", *p.Problem, c.want)
				}
			case len(p.Wants) != 1 || p.Wants[0].Spec.Values[0] != c.want:
				t.Errorf("it wants %+v, want the title %q", p.Wants, c.want)
			}
			if got := readKeys(p); got != c.reads {
				t.Errorf("it read %q, want %q", got, c.reads)
			}
		})
	}
}

func readKeys(p Proposal) string {
	var all []string
	for _, r := range p.Reads {
		all = append(all, r.Source+"/"+r.Key)
	}
	return strings.Join(all, " ")
}

func TestRequiredLookupIsTheRowsProblem(t *testing.T) {
	lookups := map[string]Lookup{"brand": {Source: "brands", Key: config.Strings{"brand_id"}, Required: true}}
	b := joining(t, lookups, `"x"`)
	for id, want := range map[any]string{"1": `the source "brands" has no row with the key "1"`, nil: "no key to look for"} {
		p := stock.propose(t, b, map[string]any{"brand_id": id, "price": "1"})
		if p.Problem == nil || p.Problem.Code != LookupMissing || p.Problem.Field != "lookups.brand" || !strings.Contains(p.Problem.Message, want) {
			t.Errorf("%v: %+v, want a problem that says %q", id, p, want)
		}
		if _, err := b.Resolve(map[string]any{"brand_id": id, "price": "1"}, nil, clock); err == nil {
			t.Errorf("%v: Resolve gave values", id)
		}
	}
	if p := stock.propose(t, b, map[string]any{"brand_id": "7", "price": "1"}); len(p.Wants) != 1 {
		t.Errorf("a row with its brand gives %+v", p)
	}
}

func TestVariableOfALookupsNameIsTheJoinedRow(t *testing.T) {
	b := mustCompile(t, func(c *Config) {
		c.Lookups = map[string]Lookup{"note": {Source: "brands", Key: config.Strings{"note"}}}
	})
	row := map[string]any{"title": "x", "price": "1", "note": "7"}
	j, _ := stock.join(t, func(j *Joined) Needs { return b.Needs(j, row) })
	values, err := b.Resolve(row, j, clock)
	if err != nil {
		t.Fatal(err)
	}
	if joined, ok := values["note"].(map[string]any); !ok || joined["name"] != "Acme" {
		t.Errorf("note is %v, want the row of the brand", values["note"])
	}
	if row["note"] != "7" {
		t.Errorf("the caller's own row has become %v", row)
	}
}

func TestUnusedColumnOfAJoinedRowChangesNothing(t *testing.T) {
	b := joining(t, brand("brand_id"), "brand.name")
	row := map[string]any{"brand_id": "7", "price": "1"}
	before := stock.propose(t, b, row)
	other := shelf{"brands": {"7": `{"id":"7","name":"Acme","logo":"b.png","founded":1950}`}}
	if after := other.propose(t, b, row); after.Digest != before.Digest {
		t.Error("a column that nothing shows changed the picture")
	} else if cmp.Equal(after.Reads, before.Reads) {
		t.Error("the reads do not tell the two rows apart")
	}
	renamed := shelf{"brands": {"7": `{"name":"Acme & Co"}`}}
	if after := renamed.propose(t, b, row); after.Digest == before.Digest {
		t.Error("a column that the title shows changed nothing")
	}
}

func TestWhereReadsLookups(t *testing.T) {
	b := joining(t, brand("brand_id"), "brand.name", func(c *Config) { c.Where = `brand.country == "de"` })
	for id, want := range map[string]bool{"7": true, "8": false} {
		p := stock.propose(t, b, map[string]any{"brand_id": id, "price": "1"})
		if p.Problem != nil || p.Remove == want {
			t.Errorf("brand %s: %+v, want an image: %v", id, p, want)
		}
		if readKeys(p) != "brands/"+id {
			t.Errorf("brand %s: it read %q: a change of the brand must be able to change it", id, readKeys(p))
		}
	}
	p := stock.propose(t, b, map[string]any{"brand_id": "1", "price": "1"})
	if p.Problem == nil || p.Problem.Field != "where" || !strings.Contains(p.Problem.Message, `no row with the key "1"`) {
		t.Errorf("a brand that there is not: %+v", p)
	}
}

func TestRowThatWhereRefusesIsNotJoined(t *testing.T) {
	lookups := map[string]Lookup{"brand": {Source: "brands", Key: config.Strings{"brand_id"}, Required: true}}
	b := joining(t, lookups, "brand.name", func(c *Config) { c.Where = "stock > 0" })
	row := map[string]any{"brand_id": "1", "price": "1", "stock": "0"}
	if needs := b.Needs(&Joined{}, row); len(needs) != 0 {
		t.Errorf("it needs %v", needs)
	}
	if p := stock.propose(t, b, row); !p.Remove || p.Reads == nil || len(p.Reads) != 0 {
		t.Errorf("it gives %+v, want a removal that read nothing", p)
	}
}

func TestEachRowOfAnotherSourceIsNeededOnce(t *testing.T) {
	b := joining(t, map[string]Lookup{
		"brand": {Source: "brands", Key: config.Strings{"brand_id"}},
		"land":  {Source: "countries", Key: config.Strings{"brand.country"}},
	}, "brand.name")
	rows := []map[string]any{{"brand_id": "7"}, {"brand_id": "7"}, {"brand_id": "8"}, {"brand_id": "1"}, {}}
	_, asked := stock.join(t, func(j *Joined) Needs { return b.Needs(j, rows...) })
	if diff := cmp.Diff([]string{"brands/1", "brands/7", "brands/8", "countries/de", "countries/fr"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestLookupsThatCannotWorkAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string // path: part of the message or hint
	}{
		{"no source", func(c *Config) { c.Lookups = map[string]Lookup{"brand": {Key: config.Strings{"a"}}} }, []string{"lookups.brand: names no source"}},
		{"no key", func(c *Config) { c.Lookups = brand() }, []string{"lookups.brand: has no key"}},
		{"an empty key", func(c *Config) { c.Lookups = brand(" ") }, []string{"lookups.brand.key: is empty"}},
		{"a part of it", func(c *Config) { c.Lookups = brand("a", "") }, []string{"lookups.brand.key[1]: is empty"}},
		{"a key that is no expression", func(c *Config) { c.Lookups = brand("a +") }, []string{"lookups.brand.key: "}},
		{"a key that reads the clock", func(c *Config) { c.Lookups = brand("now()") }, []string{"lookups.brand.key: reads the clock"}},
		{"a key that reads any column", func(c *Config) { c.Lookups = brand("$env[a]") }, []string{"lookups.brand.key: named while it is computed"}},
		{"a name that expressions cannot write", func(c *Config) {
			c.Lookups = map[string]Lookup{"the-brand": {Source: "brands", Key: config.Strings{"a"}}}
		}, []string{"lookups.the-brand: can't be named"}},
		{"a name that is a word of the language", func(c *Config) {
			c.Lookups = map[string]Lookup{"true": {Source: "brands", Key: config.Strings{"a"}}}
		}, []string{"lookups.true: can't be named"}},
		{"two that need each other", func(c *Config) {
			c.Lookups = map[string]Lookup{"a": {Source: "x", Key: config.Strings{"b.id"}}, "b": {Source: "y", Key: config.Strings{"a.id"}}}
		}, []string{"lookups.a.key: the lookups need each other: a → b → a"}},
		{"three in a circle, and one before it", func(c *Config) {
			c.Lookups = map[string]Lookup{
				"a": {Source: "x", Key: config.Strings{"b.id"}}, "b": {Source: "x", Key: config.Strings{"c.id"}},
				"c": {Source: "x", Key: config.Strings{"d.id"}}, "d": {Source: "x", Key: config.Strings{"b.id"}},
			}
		}, []string{"lookups.b.key: b → c → d → b"}},
		{"another name in map", func(c *Config) { c.Lookups = brand("id"); c.Map = map[string]string{"title": "brnad.name"} }, []string{`map.title: there is no lookup "brnad"`}},
		{"and in where, with the next step", func(c *Config) { c.Lookups = brand("id"); c.Where = "brands?.ok" }, []string{`where: did you mean "brand"? A column of that name is $env["brands"]`}},
		{"and in a key", func(c *Config) {
			c.Lookups = brand("id")
			c.Lookups["land"] = Lookup{Source: "countries", Key: config.Strings{"brnd.country"}}
		}, []string{`lookups.land.key: there is no lookup "brnd"`}},
		{"a column whose parts are read", func(c *Config) { c.Lookups = brand("id"); c.Map = map[string]string{"title": "address.street"} }, nil},
		{"a column like a lookup", func(c *Config) { c.Lookups = brand("id"); c.Map = map[string]string{"title": "brands"} }, nil},
		{"and what its hint says", func(c *Config) {
			c.Lookups = brand("id")
			c.Map = map[string]string{"title": `$env["brands"].name`}
		}, nil},
		{"a local", func(c *Config) {
			c.Lookups = brand("id")
			c.Map = map[string]string{"title": "let brnad = brand; brnad.name"}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := validConfig()
			c.change(&cfg)
			_, err := Compile(cfg, fakeTemplate{version: "v1"}, 1, 1)
			var got []string
			for _, p := range listOf(err) {
				got = append(got, fmt.Sprintf("%s: %s (%s)", p.Path, p.Message, p.Hint))
			}
			if len(got) != len(c.want) {
				t.Fatalf("problems %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				path, text, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(got[i], path+": ") || !strings.Contains(got[i], text) {
					t.Errorf("problem %q, want %q", got[i], want)
				}
			}
		})
	}
}

func TestLookupsAreReadFromYAML(t *testing.T) {
	root, err := config.Parse("pictifyd.yaml", []byte(`
name: cards
source: catalog
template: card
lookups:
  brand: { source: brands, key: brand_id, required: true }
  price: { source: prices, key: [sku, currency] }
`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	if err := root.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := map[string]Lookup{
		"brand": {Source: "brands", Key: config.Strings{"brand_id"}, Required: true},
		"price": {Source: "prices", Key: config.Strings{"sku", "currency"}},
	}
	if diff := cmp.Diff(want, got.Lookups); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"brands", "prices"}, got.LookupSources()); diff != "" {
		t.Errorf("LookupSources (-want +got):\n%s", diff)
	}
}

func TestMistypedFieldOfALookupNamesTheNearest(t *testing.T) {
	root, err := config.Parse("pictifyd.yaml", []byte("name: cards\nsource: catalog\ntemplate: card\nlookups:\n  brand: { sorce: brands, key: brand_id }\n"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	all := problem.All(root.Decode(&got))
	if len(all) != 2 || all[1].Path != "lookups.brand" || !strings.Contains(all[1].Hint, `"source"`) || all[1].Pos.Line != 5 {
		t.Errorf("problems %v", all)
	}
}

func TestLookupsAreInTheDigestOfABinding(t *testing.T) {
	seen := map[string]string{}
	for name, b := range map[string]*Binding{
		"none":     mustCompile(t, nil),
		"one":      mustCompile(t, func(c *Config) { c.Lookups = brand("a") }),
		"its key":  mustCompile(t, func(c *Config) { c.Lookups = brand("b") }),
		"two keys": mustCompile(t, func(c *Config) { c.Lookups = brand("a", "b") }),
		"required": mustCompile(t, func(c *Config) {
			c.Lookups = map[string]Lookup{"brand": {Source: "brands", Key: config.Strings{"a"}, Required: true}}
		}),
		"its source": mustCompile(t, func(c *Config) {
			c.Lookups = map[string]Lookup{"brand": {Source: "makers", Key: config.Strings{"a"}}}
		}),
	} {
		if other, twice := seen[b.Digest()]; twice {
			t.Errorf("%q and %q have one digest", name, other)
		}
		seen[b.Digest()] = name
	}
}

func TestColumnsAreThoseOfTheRowAndNotOfLookups(t *testing.T) {
	b := joining(t, map[string]Lookup{
		"brand": {Source: "brands", Key: config.Strings{"brand_id"}},
		"note":  {Source: "notes", Key: config.Strings{"note"}},
	}, "brand.name")
	got, _ := b.Columns()
	if diff := cmp.Diff([]string{"brand_id", "note", "price"}, got); diff != "" {
		t.Errorf("Columns (-want +got):\n%s", diff)
	}
}

// A reading joins what it plans, and asks for nothing else.
func TestReadingNeedsWhatItPlans(t *testing.T) {
	b := joining(t, brand("brand_id"), "brand.name")
	bs := []*Binding{b}
	row := func(key, brand string) connectors.Row {
		return connectors.Row{Key: []any{key}, Values: map[string]any{"sku": key, "price": "1", "brand_id": brand}}
	}
	l := newLedger()
	read := func(promote bool, batch connectors.Batch) (Plan, []string) {
		l.seq++
		r := l.begin(bs, promote)
		batch.Closes = &connectors.Closing{Complete: true}
		sifted, err := r.Sift(batch, l.known(r.Keys(batch), bs))
		if err != nil {
			t.Fatal(err)
		}
		j, asked := stock.join(t, sifted.Needs)
		p := r.Plan(sifted, j)
		l.commit(p)
		return p, asked
	}
	p, asked := read(true, batchOf(row("a", "7"), row("b", "8"), row("c", "7")))
	if diff := cmp.Diff([]string{"brands/7", "brands/8"}, asked); diff != "" {
		t.Errorf("the first reading asked (-want +got):\n%s", diff)
	}
	if len(p.Reads) != 3 || p.Reads[1].Key != "b" || p.Reads[1].Owner != "binding/cards" || p.Reads[1].Reads[0].Key != "8" {
		t.Errorf("reads are %+v", p.Reads)
	}
	if diff := cmp.Diff(map[string]string{"a": "Acme", "b": "Bolt", "c": "Acme"}, l.titles()); diff != "" {
		t.Errorf("titles (-want +got):\n%s", diff)
	}
	p, asked = read(false, batchOf(row("a", "7"), row("b", "9"), row("c", "7")))
	if !slices.Equal(asked, []string{"brands/9"}) || len(p.Reads) != 1 || len(p.Proposals) != 1 {
		t.Errorf("one changed row asked for %q and gave %+v", asked, p)
	}
}

// Also a row that wants what it wanted before is kept with what it read now.
func TestRowThatReadsAnotherRowOfTheSameLookIsNoted(t *testing.T) {
	twins := shelf{"brands": {"1": `{"name":"Twin"}`, "2": `{"name":"Twin"}`}}
	b := joining(t, brand("brand_id"), "brand.name")
	bs := []*Binding{b}
	l := newLedger()
	var last Plan
	for i, id := range []string{"1", "2"} {
		l.seq++
		r := l.begin(bs, i == 0)
		batch := batchOf(connectors.Row{Key: []any{"a"}, Values: map[string]any{"price": "1", "brand_id": id}})
		batch.Closes = &connectors.Closing{Complete: true}
		sifted, err := r.Sift(batch, l.known(r.Keys(batch), bs))
		if err != nil {
			t.Fatal(err)
		}
		j, _ := twins.join(t, sifted.Needs)
		last = r.Plan(sifted, j)
		l.commit(last)
	}
	if len(last.Proposals) != 0 || len(last.Reads) != 1 || last.Reads[0].Reads[0].Key != "2" {
		t.Errorf("the plan is %+v, want no proposal and the read of brand 2", last)
	}
}
