package daemon

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// sameRows are rows as each way of writing them has them: as texts, and with types.
var sameRows = []struct {
	key, title, price string // of a table of texts
	typed             [3]any
}{
	{"plain", "Mug", "14.9", [3]any{"plain", "Mug", 14.9}},
	{"Zoë-1", "Zoë & Söhne <b>", "1234567.89", [3]any{"Zoë-1", "Zoë & Söhne <b>", 1234567.89}},
	{"quoted", "two\nlines, \"quoted\"", "0.1", [3]any{"quoted", "two\nlines, \"quoted\"", 0.1}},
	{"007", "00123", "0", [3]any{"007", "00123", 0}},
	{"42", "2026", "-3", [3]any{42, 2026, -3}},
	{"free", "Nothing to pay", "", [3]any{"free", "Nothing to pay", nil}},
	{"flag", "TRUE", "1e3", [3]any{"flag", "TRUE", 1000}},
}

// The same rows are the same pictures, whichever way they come: all bindings share
// one picture for each.
func TestSameRowOfEveryKindIsOnePicture(t *testing.T) {
	t.Parallel()
	_, book, sheets := newSheet(t)
	typed := func(i int) string {
		r := sameRows[i].typed
		return fmt.Sprintf(`{"sku":%s,"title":%s,"price":%s}`, mustJSON(t, r[0]), mustJSON(t, r[1]), mustJSON(t, r[2]))
	}
	var objects []string
	table, cells := [][]string{{"sku", "title", "price"}}, [][]any{{"sku", "title", "price"}}
	for i, r := range sameRows {
		table = append(table, []string{r.key, r.title, r.price})
		cells = append(cells, r.typed[:])
		objects = append(objects, typed(i))
	}
	list := "[" + strings.Join(objects, ",") + "]"
	web := newShop(t, `{"items":`+list+`}`)

	kinds := map[string]string{
		"csv":    `kind: file, path: rows.csv, every: 1h`,
		"tsv":    `kind: file, path: rows.tsv, every: 1h`,
		"xlsx":   `kind: file, path: rows.xlsx, every: 1h`,
		"json":   `kind: file, path: rows.json, every: 1h`,
		"ndjson": `kind: file, path: rows.ndjson, every: 1h`,
		"http":   fmt.Sprintf(`kind: http, url: %q, rows: "$.items", every: 1h`, web.server.URL),
		"sheet":  fmt.Sprintf(`kind: sheets, spreadsheet: BOOK, range: Goods, every: 1h, endpoint: %q`, sheets),
		"called": fmt.Sprintf(`kind: webhook, path: rows, secret: %q`, crmSecret),
		"static": "kind: static, rows: " + list,
	}
	if os.Getenv("PICTIFYD_TEST_POSTGRES") != "" {
		db := pgtest.New(t)
		db.Run("CREATE TABLE goods (sku text PRIMARY KEY, title text, price numeric)")
		for _, r := range sameRows {
			db.Value("INSERT INTO goods VALUES ($1, $2, nullif($3, '')::numeric)", r.key, r.title, r.price)
		}
		kinds["table"] = fmt.Sprintf(`kind: postgres, dsn: %q, table: goods, every: 1h`, db.DSN)
	}
	var sources, bindings strings.Builder
	for name, source := range kinds {
		fmt.Fprintf(&sources, "  %s: { %s, key: sku }\n", name, source)
		fmt.Fprintf(&bindings, "  - { name: %s, source: %s, template: card, public: true }\n", name, name)
	}
	s := newSite(t, "\nsources:\n"+sources.String()+"bindings:\n"+bindings.String())
	s.write("rows.csv", mustTable(t, table, ','))
	s.write("rows.tsv", mustTable(t, table, '\t'))
	s.write("rows.json", list)
	s.write("rows.ndjson", strings.Join(objects, "\n")+"\n")
	mustWorkbook(t, filepath.Join(s.dir, "rows.xlsx"), cells)
	book.Set(cells...)

	null := &rendertest.Null{}
	url, _ := s.run(Options{Log: quiet(t), Renderer: null})
	p := &process{tb: t, url: url}
	p.mustTell("rows", "msg_1", list, "accepted")
	for name := range kinds {
		eventually(t, "the images of "+name, func() bool { return p.ready(name) == len(sameRows) })
	}
	for _, r := range sameRows {
		want := etag(t, url+"/b/csv/"+r.key+".png")
		for name := range kinds {
			if got := etag(t, url+"/b/"+name+"/"+r.key+".png"); got == "" || got != want {
				t.Errorf("%s by %s has the picture %s, by csv %s", r.key, name, got, want)
			}
		}
	}
	if n := null.Count(); n != len(sameRows) {
		t.Errorf("%d pictures were made, want one of each of the %d rows", n, len(sameRows))
	}
}

func mustTable(tb testing.TB, rows [][]string, comma rune) string {
	tb.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = comma
	if err := w.WriteAll(rows); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func mustWorkbook(tb testing.TB, path string, rows [][]any) {
	tb.Helper()
	book := excelize.NewFile()
	for i, row := range rows {
		if err := book.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row); err != nil {
			tb.Fatal(err)
		}
	}
	if err := book.SaveAs(path); err != nil {
		tb.Fatal(err)
	}
}

func mustJSON(tb testing.TB, v any) string {
	tb.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}
