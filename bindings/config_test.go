package bindings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func validConfig() Config {
	c := DefaultConfig()
	c.Name, c.Source, c.Template = "cards", "catalog", "card"
	return c
}

func TestDefaultBindingIsValidWithItsThreeNames(t *testing.T) {
	if err := validConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestBindingIsReadFromYAML(t *testing.T) {
	root, err := config.Parse("pictifyd.yaml", []byte(`
name: product-cards
source: products
template: product-card
where: stock > 0
map: { title: name, price: price * 0.9 }
outputs: [ { name: card, format: png }, { name: story, format: jpeg, size: story, quality: 85 } ]
sinks: [shop_hook, shop_db]
on_delete: remove
delete_grace: 1h
guard: { max_changed: 100%, floor: 5 }
public: true
assets: { recheck: 24h }
`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := DefaultConfig()
	if err := root.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := Config{
		Name: "product-cards", Source: "products", Template: "product-card", Where: "stock > 0",
		Map: map[string]string{"title": "name", "price": "price * 0.9"},
		Outputs: []Output{
			{Name: "card", Encoding: Encoding{Format: "png"}}, {Name: "story", Encoding: Encoding{Format: "jpeg", Quality: 85}, Size: "story"},
		},
		Sinks: config.Strings{"shop_hook", "shop_db"}, OnDelete: Remove, DeleteGrace: config.Duration(3600e9),
		Guard: Guard{MaxChanged: 1, MaxDeleted: 0.1, Floor: 5}, Public: true,
		Assets: Assets{Recheck: config.Duration(24 * 3600e9)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func TestEveryProblemOfABindingIsReportedAtOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string // path: part of the message
	}{
		{"nothing", func(c *Config) { *c = Config{} }, []string{"name: no name", "source: no source", "template: no template"}},
		{"name with a slash", func(c *Config) { c.Name = "a/b" }, []string{`name: "a/b"`}},
		{"name with a capital", func(c *Config) { c.Name = "Cards" }, []string{`name: "Cards"`}},
		{"name with a dash first", func(c *Config) { c.Name = "-a" }, []string{`name: "-a"`}},
		{"longest name", func(c *Config) { c.Name = strings.Repeat("a", 63) }, nil},
		{"longer name", func(c *Config) { c.Name = strings.Repeat("a", 64) }, []string{"name: aaa"}},
		{"on_delete", func(c *Config) { c.OnDelete = "purge" }, []string{`on_delete: "purge"`}},
		{"on_delete empty", func(c *Config) { c.OnDelete = "" }, nil},
		{"recheck", func(c *Config) { c.Assets.Recheck = config.Duration(59e9) }, []string{"assets.recheck: images can't be asked for again every 59s"}},
		{"recheck before", func(c *Config) { c.Assets.Recheck = config.Duration(-3600e9) }, []string{"assets.recheck: images"}},
		{"floor", func(c *Config) { c.Guard.Floor = -1 }, []string{"guard.floor: negative"}},
		{"sink twice", func(c *Config) { c.Sinks = config.Strings{"a", "b", "a"} }, []string{"sinks[2]: twice"}},
		{"empty map line", func(c *Config) { c.Map = map[string]string{"title": " "} }, []string{"map.title: nothing"}},
		{"format", func(c *Config) { c.Outputs = []Output{{Encoding: Encoding{Format: "jepg"}}} }, []string{`outputs[0].format: did you mean "jpeg"`}},
		{"format of another world", func(c *Config) { c.Outputs = []Output{{Encoding: Encoding{Format: "tiff2000"}}} }, []string{"outputs[0].format: png, jpeg, webp"}},
		{"quality 1 and 100", func(c *Config) {
			c.Outputs = []Output{{Name: "a", Encoding: Encoding{Format: "jpg", Quality: 1}}, {Name: "b", Encoding: Encoding{Quality: 100}}}
		}, nil},
		{"quality 101", func(c *Config) { c.Outputs = []Output{{Encoding: Encoding{Format: "jpg", Quality: 101}}} }, []string{"outputs[0].quality: 101"}},
		{"quality -1", func(c *Config) { c.Outputs = []Output{{Encoding: Encoding{Format: "jpg", Quality: -1}}} }, []string{"outputs[0].quality: -1"}},
		{"two outputs of one name", func(c *Config) {
			c.Outputs = []Output{{Encoding: Encoding{Format: "jpg"}}, {}, {Encoding: Encoding{Format: "jpeg"}}}
		}, []string{`outputs[2].name: outputs[0] is also named "jpeg"`}},
		{"output's name", func(c *Config) { c.Outputs = []Output{{Name: "a.b"}} }, []string{`outputs[0].name: "a.b"`}},
		{"size that is no name", func(c *Config) { c.Outputs = []Output{{Size: "Story XL"}} }, []string{`outputs[0].name: "Story XL"`}},
		{"several", func(c *Config) {
			c.Name, c.OnDelete, c.Outputs = "", "x", []Output{{Encoding: Encoding{Quality: 200}}, {Encoding: Encoding{Format: "bmp"}}}
		}, []string{"name: no name", "on_delete: x", "outputs[0].quality: 200", "outputs[1].format: bmp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := validConfig()
			c.change(&cfg)
			got := listOf(cfg.Validate())
			if len(got) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(got), len(c.want), got)
			}
			for i, want := range c.want {
				path, text, _ := strings.Cut(want, ": ")
				if got[i].Path != path || !strings.Contains(got[i].Error(), text) {
					t.Errorf("problem %d is %q, want %q", i, got[i], want)
				}
				if got[i].Code != problem.Invalid {
					t.Errorf("problem %d has code %q", i, got[i].Code)
				}
			}
		})
	}
}

func TestOutputsAreNamedBySizeElseByFormat(t *testing.T) {
	got, err := Outputs([]Output{{}, {Encoding: Encoding{Format: "jpg"}}, {Size: "default", Encoding: Encoding{Format: "webp", Quality: 50}}, {Size: "story"}, {Name: "wide", Size: "banner", Encoding: Encoding{Format: "jpeg", Quality: 1}}}, "outputs")
	if err != nil {
		t.Fatal(err)
	}
	want := []Output{
		{Name: "png", Encoding: Encoding{Format: "png"}},
		{Name: "jpeg", Encoding: Encoding{Format: "jpeg", Quality: DefaultQuality}},
		{Name: "webp", Encoding: Encoding{Format: "webp", Quality: 50}},
		{Name: "story", Size: "story", Encoding: Encoding{Format: "png"}},
		{Name: "wide", Size: "banner", Encoding: Encoding{Format: "jpeg", Quality: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Outputs (-want +got):\n%s", diff)
	}
}

func TestNoOutputsAreOnePNG(t *testing.T) {
	got, err := Outputs(nil, "outputs")
	if diff := cmp.Diff([]Output{{Name: "png", Encoding: Encoding{Format: "png"}}}, got); err != nil || diff != "" {
		t.Errorf("Outputs(nil): %v (-want +got):\n%s", err, diff)
	}
}
