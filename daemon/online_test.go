package daemon

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func (s *site) online() (string, error) {
	s.tb.Helper()
	return CheckOnline(s.tb.Context(), filepath.Join(s.dir, "pictifyd.yaml"))
}

func TestCheckOnlineAsksSourcesAndSinksAndDeliversNothing(t *testing.T) {
	t.Parallel()
	shop := newShop(t, pricedRows([2]string{"A", "Mug"}, [2]string{"B", ""}))
	s := newBareSite(t, "")
	s.write("rows.csv", csvRows(3, "one"))
	s.write("pictifyd.yaml", reloadHead+fmt.Sprintf(`
sources:
  shop: { kind: http, url: %q, key: sku }
  catalog: { kind: file, path: rows.csv, key: sku }
sinks:
  hook: { kind: webhook, url: %q }
  folder: { kind: file, path: "out/deep/{{ key }}.{{ ext }}" }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name } }
  - { name: rows, source: catalog, template: card, where: 'price > 1', map: { title: 'none ?? name' } }
`, shop.server.URL, s.receiver.server.URL))
	report, err := s.online()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"is good: 2 bindings, 2 sources, 2 sinks, 1 template",
		"source shop: its first 2 rows read", "source catalog: its first 3 rows read",
		"binding cards: 1 of the first 2 rows can have no image, the first at $[1]",
		"binding rows: resolves 2 of the first 3 rows, 1 do not meet where",
		"sink hook: is there", "sink folder: is there",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("no %q in\n%s", want, report)
		}
	}
	if len(s.receiver.all("")) > 0 || len(s.receiver.tried) > 0 {
		t.Error("something was delivered")
	}
	for _, made := range []string{"data", "out"} {
		if _, err := os.Stat(filepath.Join(s.dir, made)); err == nil {
			t.Errorf("%s was made", made)
		}
	}
}

func TestCheckOnlineSaysEveryProblemAtItsPlace(t *testing.T) {
	t.Parallel()
	shop := newShop(t, pricedRows([2]string{"A", "Mug"}, [2]string{"B", "Cup"}))
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }))
	defer html.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	s := newSite(t, "")
	s.write("file", "no folder")
	s.write("pictifyd.yaml", reloadHead+fmt.Sprintf(`sources:
  misspelt: { kind: http, url: %q, key: skuu }
  shop: { kind: http, url: %q, key: sku }
  down: { kind: http, url: %q, key: sku }
  gone: { kind: file, path: gone.csv, key: sku }
sinks:
  hook: { kind: webhook, url: "http://%s/hook" }
  folder: { kind: file, path: "file/{{ key }}.{{ ext }}" }
bindings:
  - { name: cards, source: shop, template: card, map: { title: nam } }
  - { name: untitled, source: shop, template: card, map: { title: wrong } }
  - { name: none, source: shop, template: crad }
`, shop.server.URL, shop.server.URL, html.URL, closed))
	_, err = s.online()
	if err == nil {
		t.Fatal("all is well")
	}
	for _, want := range []string{
		"pictifyd.yaml:6:", `sources.misspelt.key: the source "misspelt" has no column "skuu" (did you mean "sku"?)`,
		"pictifyd.yaml:8:", `the source "down" can't be read: GET ` + html.URL + `: the answer is 503 Service Unavailable`,
		"pictifyd.yaml:9:", `the source "gone" can't be read`,
		"pictifyd.yaml:11:", `the sink "hook" can't be used: http://` + closed + `/hook can't be reached`,
		"pictifyd.yaml:12:", `the sink "folder" can't be used`,
		`bindings[0].map.title: the source "shop" has no column "nam" (did you mean "name"?)`,
		`bindings[1].map.title: 2 of the first 2 rows of "shop" can have no image, the first at $[0]`,
		`bindings[2].template: there is no template "crad" (did you mean "card"?)`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in\n%v", want, err)
		}
	}
	if problem.CodeOf(err) != problem.Invalid {
		t.Errorf("the first of them is %s, want what a person can correct", problem.CodeOf(err))
	}
}

// Where only others are at fault, that is what a script is told.
func TestCheckOnlineTellsInputFromSurroundings(t *testing.T) {
	t.Parallel()
	s := newSite(t, "sources: { gone: { kind: file, path: gone.csv, key: sku } }\n")
	_, err := s.online()
	if problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("a file that is not there: %v is %s", err, problem.CodeOf(err))
	}
}

func TestCheckOnlineWaitsForNobodyForEver(t *testing.T) {
	t.Parallel()
	never := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer never.Close()
	s := newSite(t, fmt.Sprintf("sources: { slow: { kind: http, url: %q, key: sku } }\n", never.URL))
	_, err := checkOnline(t.Context(), filepath.Join(s.dir, "pictifyd.yaml"), 200*time.Millisecond)
	if problem.CodeOf(err) != problem.Timeout || !strings.Contains(err.Error(), `the source "slow" can't be read: no answer within 200ms`) {
		t.Errorf("it ended with %v", err)
	}
}
