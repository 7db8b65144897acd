package bench

import (
	_ "embed"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/starter"
)

//go:embed workloads/card.html
var card []byte

const inter = "assets/fonts/inter-latin.woff2"

// A kind is a template that workloads are made of.
type kind struct {
	name    string
	summary string
	// files are the document, its sample rows and its assets, by path.
	files func(rng *rand.Rand) (map[string][]byte, error)
	// wanted says which sample rows are used; nil for all.
	wanted func(sample string) bool
	// vary makes the n-th row of a sample row. What it gets is its own.
	vary func(rng *rand.Rand, n int, row map[string]any)
}

func kinds() []kind {
	return []kind{
		{name: "card", summary: "an Open Graph card: a gradient, a ring, a shadow, four texts", files: cardFiles, vary: varyCard},
		{name: "real-estate", summary: "a starter with photos: a JPEG of 1600x1067 in each", files: listingFiles, vary: varyListing},
		{name: "usage-report", summary: "a starter with charts", files: filesOf("usage-report"), vary: varyReport},
		{name: "leaderboard", summary: "a starter with Japanese text and emoji", files: filesOf("leaderboard"), wanted: hasScripts, vary: varyLeaderboard},
		{name: "invoice", summary: "a starter of the size A4", files: filesOf("invoice"), vary: varyInvoice},
	}
}

// Names are the workloads that there are, the card first.
func Names() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

func find(name string) (kind, error) {
	for _, k := range kinds() {
		if k.name == name {
			return k, nil
		}
	}
	p := problem.New(problem.NotFound, "there is no workload %q", name)
	if near := expr.Nearest(name, Names()); near != "" {
		return kind{}, p.WithHint("did you mean %q?", near)
	}
	return kind{}, p.WithHint("the workloads are %s", strings.Join(Names(), ", "))
}

func filesOf(name string) func(*rand.Rand) (map[string][]byte, error) {
	return func(*rand.Rand) (map[string][]byte, error) { return starter.Files(name) }
}

// cardFiles is the card with the font that the starters have too.
func cardFiles(*rand.Rand) (map[string][]byte, error) {
	shared, err := starter.Files("og-card")
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"card.html": card, "card.rows.json": []byte(`[{}]`), inter: shared[inter]}, nil
}

var (
	materials = []string{"Walnut", "Oak", "Ash", "Birch", "Copper", "Brass", "Linen", "Wool", "Cork", "Slate", "Marble", "Bamboo"}
	things    = []string{"desk lamp", "side table", "wall clock", "reading chair", "coat rack", "bread board", "picture frame", "plant stand", "bookend", "tea kettle"}
	looks     = []string{"natural", "smoked", "oiled", "brushed", "matt black", "sand", "deep green", "ivory", "small", "extra large"}
	towns     = []string{"Porto", "Leipzig", "Turin", "Aarhus", "Lyon", "Bilbao", "Ghent", "Kraków", "Graz", "Turku"}
)

func pick(rng *rand.Rand, words []string) string { return words[rng.IntN(len(words))] }

func varyCard(rng *rand.Rand, n int, row map[string]any) {
	row["title"] = fmt.Sprintf("%s %s, %s, no. %d", pick(rng, materials), pick(rng, things), pick(rng, looks), n+1)
	row["line"] = fmt.Sprintf("Made in %s, %d in stock, ships in %d days", pick(rng, towns), 1+rng.IntN(400), 1+rng.IntN(9))
	row["price"] = fmt.Sprintf("€%d.%02d", 10+rng.IntN(990), rng.IntN(100))
	row["link"] = fmt.Sprintf("shop.example/p/%06d", rng.IntN(1_000_000))
}

const photoCount = 8

func photoPath(n int) string { return fmt.Sprintf("assets/real-estate/photo-%02d.jpg", n) }

// listingFiles are the starter's with photos beside its drawings: what stands in
// for photographs there is drawn as SVG, and no camera makes those.
func listingFiles(rng *rand.Rand) (map[string][]byte, error) {
	files, err := starter.Files("real-estate")
	if err != nil {
		return nil, err
	}
	files = maps.Clone(files)
	for n := range photoCount {
		if files[photoPath(n)], err = photo(rng, 1600, 1067); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func varyListing(rng *rand.Rand, n int, row map[string]any) {
	row["photo"] = photoPath(rng.IntN(photoCount))
	row["address"] = fmt.Sprintf("Rua das Dunas %d, %s", n+1, pick(rng, towns))
	for _, name := range []string{"price", "area", "plot"} {
		row[name] = scaled(rng, row[name])
	}
}

func varyReport(rng *rand.Rand, n int, row map[string]any) {
	row["plan"] = fmt.Sprintf("Plan %d", n+1)
	for _, name := range []string{"daily", "kpis", "products", "costs"} {
		row[name] = scaled(rng, row[name])
	}
}

// hasScripts reports whether a sample row has Japanese or emoji in it.
func hasScripts(sample string) bool {
	return strings.ContainsFunc(sample, func(r rune) bool { return r >= 0x3040 && r <= 0x9fff || r >= 0x1f300 && r <= 0x1faff })
}

func varyLeaderboard(rng *rand.Rand, n int, row map[string]any) {
	row["period"] = fmt.Sprintf("第%d回 🏅", n+1)
	row["players"] = scaled(rng, row["players"])
}

func varyInvoice(rng *rand.Rand, n int, row map[string]any) {
	row["number"] = fmt.Sprintf("2026-%05d", n+1)
	items, _ := row["items"].([]any)
	for _, item := range items {
		if line, ok := item.(map[string]any); ok {
			line["qty"] = scaled(rng, line["qty"])
		}
	}
}

// scaled is value with every number in it changed by up to a fifth, in as many
// digits behind the point as it had. What is not a number stays as it is.
func scaled(rng *rand.Rand, value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = scaled(rng, v[i])
		}
	case map[string]any:
		for _, key := range sorted(v) {
			v[key] = scaled(rng, v[key])
		}
	case number:
		f, err := v.Float64()
		if err != nil || strings.ContainsAny(v.String(), "eE") {
			return v
		}
		_, decimals, _ := strings.Cut(v.String(), ".")
		return number(strconv.FormatFloat(f*(0.8+0.4*rng.Float64()), 'f', len(decimals), 64))
	}
	return value
}
