package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/store"
)

// A reloadable daemon runs in the test's process, and reads its configuration
// again when the test says so or the file changes.
type reloadable struct {
	*site
	*process
	daemon *Daemon
	signal chan os.Signal
	ended  <-chan error
}

// reloadable runs a daemon that draws nothing, so that its configurations need not
// name the Chrome of the tests.
func (s *site) reloadable() *reloadable {
	s.tb.Helper()
	s.forgetChrome()
	ctx, cancel := context.WithCancel(context.Background())
	r := &reloadable{site: s, signal: make(chan os.Signal, 1)}
	log := &output{}
	url, ended := s.begin(ctx, Options{
		Renderer: &rendertest.Null{}, Log: slog.New(slog.NewTextHandler(log, nil)),
		Config: filepath.Join(s.dir, "pictifyd.yaml"), Reload: r.signal,
		started: func(d *Daemon) { r.daemon = d },
	})
	r.process = &process{tb: s.tb, url: url, log: log}
	end := make(chan error, 1)
	r.ended = end
	done := make(chan struct{})
	go func() {
		defer close(done)
		end <- <-ended
	}()
	s.tb.Cleanup(func() {
		cancel()
		<-done
		if s.tb.Failed() {
			s.tb.Logf("log of the daemon:\n%s", log)
		}
	})
	return r
}

const reloadHead = `
server: { listen: "127.0.0.1:0" }
egress: { allow: ["127.0.0.1"] }
templates: templates
`

// mustReload has another configuration in effect.
func (r *reloadable) mustReload(yaml string) {
	r.site.tb.Helper()
	r.mustTake(reloadHead + yaml)
}

// mustTake has a whole file in effect.
func (r *reloadable) mustTake(text string) {
	r.site.tb.Helper()
	r.site.write("pictifyd.yaml", text)
	before := strings.Count(r.log.String(), "configuration read again")
	r.signal <- syscall.SIGHUP
	eventually(r.site.tb, "the reload", func() bool { return strings.Count(r.log.String(), "configuration read again") > before })
}

// mustRefuse has a configuration refused that says want.
func (r *reloadable) mustRefuse(text, want string) {
	r.site.tb.Helper()
	r.site.write("pictifyd.yaml", text)
	before := r.log.String()
	r.signal <- syscall.SIGHUP
	eventually(r.site.tb, "the refusal", func() bool {
		return strings.Contains(strings.TrimPrefix(r.log.String(), before), "configuration refused")
	})
	if said := strings.TrimPrefix(r.log.String(), before); !strings.Contains(said, want) {
		r.site.tb.Errorf("it says %s, want %s in it", said, want)
	}
}

// asks is how often a shop was asked.
func (s *shop) asks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// A slowShop begins its answer and ends it when it is released.
func slowShop(t *testing.T) (url string, asked *atomic.Int64, release func()) {
	t.Helper()
	asked = &atomic.Int64{}
	free := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, `{"sku":"A","name":"slow","price":1}`+"\n")
		w.(http.Flusher).Flush()
		select {
		case <-free:
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(w, `{"sku":"B","name":"slower","price":1}`+"\n")
	}))
	t.Cleanup(server.Close)
	return server.URL, asked, func() { close(free) }
}

func TestReloadKeepsTheReadingOfASourceThatIsAsItWas(t *testing.T) {
	t.Parallel()
	url, asked, release := slowShop(t)
	other := newShop(t, oneMug)
	yaml := func(every, map_ string) string {
		return fmt.Sprintf(`
sources:
  slow: { kind: http, url: %q, key: sku, every: 1h }
  other: { kind: http, url: %q, key: sku, every: %s }
bindings:
  - { name: slow, source: slow, template: card, map: { title: %s }, public: true }
  - { name: others, source: other, template: card, map: { title: name }, public: true }
`, url, other.server.URL, every, map_)
	}
	r := newSite(t, yaml("1h", "name")).reloadable()
	eventually(t, "the reading under way", func() bool { return asked.Load() == 1 })
	eventually(t, "the other source's image", func() bool { return r.picture("/b/others/A.png") != "" })
	feeds := r.daemon.roster().feeds
	slow, fast := feeds["slow"], feeds["other"]

	r.mustReload(yaml("2h", "name"))
	if now := r.daemon.roster().feeds; now["slow"] != slow || now["other"] == fast {
		t.Error("want the feed that is as it was, and another one for the source that changed")
	}
	release()
	eventually(t, "both rows of the reading", func() bool { return r.picture("/b/slow/A.png") != "" && r.picture("/b/slow/B.png") != "" })
	if n := asked.Load(); n != 1 {
		t.Errorf("the source was asked %d times, want once", n)
	}
}

func TestChangedBindingIsPlannedAgainFromStoredRows(t *testing.T) {
	t.Parallel()
	shop := newShop(t, oneMug)
	yaml := func(map_ string) string {
		return fmt.Sprintf(`
sources: { shop: { kind: http, url: %q, key: sku, every: 1h } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: %s }, public: true }
`, shop.server.URL, map_)
	}
	r := newSite(t, yaml("name")).reloadable()
	eventually(t, "the first image", func() bool { return r.picture("/b/cards/A.png") != "" })
	first := r.picture("/b/cards/A.png")
	r.mustReload(yaml(`'name + "!"'`))
	eventually(t, "the other image", func() bool { now := r.picture("/b/cards/A.png"); return now != "" && now != first })
	r.mustReload(yaml("name"))
	eventually(t, "the image as before", func() bool { return r.picture("/b/cards/A.png") == first })
	if n := shop.asks(); n != 1 {
		t.Errorf("the source was asked %d times, want once", n)
	}
}

func TestRemovedBindingStopsAndReturnsPlanned(t *testing.T) {
	t.Parallel()
	shop := newShop(t, oneMug)
	const binding = "  - { name: cards, source: shop, template: card, map: { title: name }, public: true, sinks: [hook] }\n"
	s := newSite(t, "")
	head := fmt.Sprintf(`
sinks: { hook: { kind: webhook, url: %q } }
sources: { shop: { kind: http, url: %q, key: sku, every: 1s } }
bindings:
  - { name: others, source: shop, template: card, map: { title: name }, public: true }
`, s.receiver.server.URL, shop.server.URL)
	s.write("pictifyd.yaml", reloadHead+head+binding)
	r := s.reloadable()
	eventually(t, "the first delivery", func() bool { return s.receiver.different() == 1 })
	var others string
	eventually(t, "the image of the other binding", func() bool { others = r.picture("/b/others/A.png"); return others != "" })

	r.mustReload(head)
	if r.picture("/b/cards/A.png") != "" {
		t.Error("the image of a binding that is gone is served")
	}
	shop.set(`[{"sku":"A","name":"Cup","price":1}]`)
	eventually(t, "the change in the binding that is there", func() bool { now := r.picture("/b/others/A.png"); return now != "" && now != others })
	if n := s.receiver.different(); n != 1 {
		t.Errorf("%d deliveries, want the one from before", n)
	}

	r.mustReload(head + binding)
	eventually(t, "the change in the binding that is back", func() bool { return s.receiver.different() == 2 })

	// With its source gone as well.
	r.mustReload("")
	for _, binding := range []string{"cards", "others"} { // once no reading plans for them, which is after the file is in effect
		eventually(t, binding+" is planned no more", func() bool {
			digest, err := r.daemon.store.BindingDigest(t.Context(), binding)
			return err == nil && digest == ""
		})
	}
}

// A row changes after its binding was taken out, and before the source was bound anew. Its sink
// hears of it once the binding is back.
func TestRowThatChangesWhileItsBindingIsOutIsToldWhenItIsBack(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(1, "one"))
	d := s.open()
	d.mustDraw(t)
	d.mustDeliver(t)
	_, line, _ := strings.Cut(catalogWithHook, "\nbindings: ")
	line = "bindings: " + strings.TrimSpace(line)
	if err := s.rewrite(d, line, "bindings: []"); err != nil {
		t.Fatal(err)
	}
	s.write("rows.csv", csvRows(1, "two"))
	read := func() {
		t.Helper()
		if err := d.poll(t.Context(), store.Turn{ID: 1, Source: "catalog"}); err != nil {
			t.Fatal(err)
		}
		if err := d.draw(t.Context(), store.Turn{ID: 2}); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if err := s.rewrite(d, "bindings: []", line); err != nil {
		t.Fatal(err)
	}
	d.mustDraw(t)
	d.mustDeliver(t)
	if heard := s.receiver.all("render.completed"); len(heard) != 2 {
		t.Errorf("its sink heard %d times, want of both states", len(heard))
	}
}

func TestChangedSourceIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	before, after := newShop(t, oneMug), newShop(t, `[{"sku":"A","name":"Jug","price":2}]`)
	yaml := func(url string) string {
		return fmt.Sprintf(`
sources: { shop: { kind: http, url: %q, key: sku, every: 1h } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name }, public: true }
`, url)
	}
	r := newSite(t, yaml(before.server.URL)).reloadable()
	eventually(t, "the first image", func() bool { return r.picture("/b/cards/A.png") != "" })
	first := r.picture("/b/cards/A.png")
	r.mustReload(yaml(after.server.URL))
	eventually(t, "the image of the other address", func() bool { now := r.picture("/b/cards/A.png"); return now != "" && now != first })
	if n := before.asks(); n != 1 {
		t.Errorf("the address before was asked %d times, want once", n)
	}
}

func TestReadingOfASourceThatChangedDies(t *testing.T) {
	t.Parallel()
	url, asked, _ := slowShop(t)
	after := newShop(t, oneMug)
	yaml := func(url string) string {
		return fmt.Sprintf(`
sources: { shop: { kind: http, url: %q, key: sku, every: 1h } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name }, public: true }
`, url)
	}
	r := newSite(t, yaml(url)).reloadable()
	eventually(t, "the reading under way", func() bool { return asked.Load() == 1 })
	r.mustReload(yaml(after.server.URL))
	eventually(t, "the row of the other address", func() bool { return r.picture("/b/cards/A.png") != "" })
	var v struct{ Rows []struct{ Key string } }
	if r.get("/bindings/cards/rows", &v); len(v.Rows) != 1 {
		t.Errorf("the rows are %+v, want the one of the other address", v.Rows)
	}
}

func TestConfigurationThatIsBrokenChangesNothing(t *testing.T) {
	t.Parallel()
	const good = `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name }, public: true }
`
	s := newSite(t, good)
	s.write("rows.csv", csvRows(1, "one"))
	r := s.reloadable()
	eventually(t, "the first image", func() bool { return r.picture("/b/cards/SKU-000.png") != "" })
	before := r.daemon.roster()
	for _, c := range []struct{ text, want string }{
		{"sources: [", "pictifyd.yaml:1"},
		{reloadHead + "sources: { catalog: { kind: fil } }\n", `did you mean \"file\"`},
		{reloadHead + good + "  - { name: more, source: catalog, template: card, map: { titel: name } }\n", `bindings[1].map.titel: template \"card\" has no variable \"titel\"`},
		{reloadHead + good + "  - { name: more, source: catalog, template: crad }\n", "bindings[1].template: there is no template"},
		{reloadHead + good + "sinks: { hook: { kind: webhook, url: \"${NOT_SET_ANYWHERE}\" } }\n", "NOT_SET_ANYWHERE"},
	} {
		r.mustRefuse(c.text, c.want)
	}
	if r.daemon.roster() != before {
		t.Error("a configuration that was refused is in effect")
	}
	res, err := http.Get(r.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`pictifyd_config_reload_total{result="refused"}`, "pictifyd_config_last_reload_successful 0", "pictifyd_config_loaded_timestamp_seconds 1"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	r.mustReload(good)
}

// What could not run here is drained for and given up, and stays wrong in the
// file: whoever watches the figure has to learn of it.
func TestConfigurationThatRunsInsteadOfTheFileIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	path := filepath.Join(s.dir, "pictifyd.yaml")
	settings, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	url, ended := s.beginWith(ctx, settings.Instead(settings), Options{Renderer: &rendertest.Null{}, Config: path})
	p := &process{tb: t, url: url}
	eventually(t, "the figure", func() bool {
		_, text := p.ask("GET", "/metrics", "")
		return strings.Contains(text, "pictifyd_config_last_reload_successful 0") &&
			strings.Contains(text, `pictifyd_config_reload_total{result="refused"} 1`)
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Written in place, as some editors and copies do: first nothing, then the half
// of it, which reads well and lacks a binding, then all of it.
func TestHalfWrittenConfigurationIsNotTaken(t *testing.T) {
	t.Parallel()
	const first = `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name }, public: true }
`
	const second = "  - { name: more, source: catalog, template: card, map: { title: name }, public: true }\n"
	s := newSite(t, first)
	s.write("rows.csv", csvRows(1, "one"))
	r := s.reloadable()
	path := filepath.Join(s.dir, "pictifyd.yaml")
	halves := reloadHead + "sources: { catalog: { kind: file, path: rows.csv, key: sku } }\n"
	for _, text := range []string{"", halves, "", halves, reloadHead + first + second} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		<-time.After(fileSettle / 4) // a writer that takes its time
	}
	eventually(t, "the whole file", func() bool { return r.picture("/b/more/SKU-000.png") != "" })
	if n := strings.Count(r.log.String(), "configuration read again"); n != 1 {
		t.Errorf("the configuration was taken %d times, want once", n)
	}
}

func TestStormOfChangesEndsInTheLast(t *testing.T) {
	t.Parallel()
	yaml := func(i int) string {
		return fmt.Sprintf(`
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings:
  - { name: cards-%d, source: catalog, template: card, map: { title: name }, public: true }
`, i)
	}
	s := newSite(t, yaml(0))
	s.write("rows.csv", csvRows(1, "one"))
	r := s.reloadable()
	for i := range 100 {
		s.write("pictifyd.yaml", reloadHead+yaml(i+1))
		select {
		case r.signal <- syscall.SIGHUP:
		default:
		}
	}
	eventually(t, "the last one", func() bool { return r.picture("/b/cards-100/SKU-000.png") != "" })
	if now := r.daemon.roster().bindings; len(now) != 1 || now[0].Name != "cards-100" {
		t.Errorf("the bindings are %v", namesOf(now))
	}
}

// Kubernetes mounts a file through a folder that it swaps.
func TestConfigurationInASwappedFolderIsTaken(t *testing.T) {
	t.Parallel()
	const head = reloadHead + `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings:
`
	const first = "  - { name: cards, source: catalog, template: card, map: { title: name }, public: true }\n"
	s := newSite(t, "")
	s.write("rows.csv", csvRows(1, "one"))
	s.write("..1/pictifyd.yaml", head+first)
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(s.dir, name+".new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(s.dir, name+".new"), filepath.Join(s.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	link("..data/pictifyd.yaml", "pictifyd.yaml")
	r := s.reloadable()
	eventually(t, "the first image", func() bool { return r.picture("/b/cards/SKU-000.png") != "" })
	s.write("..2/pictifyd.yaml", head+strings.ReplaceAll(first, "cards", "swapped"))
	link("..2", "..data")
	eventually(t, "the binding of the other folder", func() bool { return r.picture("/b/swapped/SKU-000.png") != "" })
}

func TestSectionsOfTheStartTakeAnotherRun(t *testing.T) {
	t.Parallel()
	for section, yaml := range map[string]string{
		"server": strings.Replace(reloadHead, `"127.0.0.1:0" }`, `"127.0.0.1:0", limits: { uploads: 3 } }`, 1),
		"egress": strings.Replace(reloadHead, `["127.0.0.1"]`, `["127.0.0.1", "10.0.0.0/8"]`, 1),
		"store":  reloadHead + "store: { url: \"sqlite:elsewhere/pictifyd.db\" }\n",
		"render": reloadHead + "render: { browsers: 1 }\n",
		"blobs":  reloadHead + "blobs: { url: \"file:elsewhere/images\" }\n",
	} {
		t.Run(section, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			s.write("pictifyd.yaml", reloadHead)
			r := s.reloadable()
			s.write("pictifyd.yaml", yaml)
			r.signal <- syscall.SIGHUP
			var again *RestartError
			if err := <-r.ended; !errors.As(err, &again) || len(again.Sections) != 1 || again.Sections[0] != section {
				t.Errorf("it ended with %v, want a restart for %s", err, section)
			}
		})
	}
}

func TestKeysOfTheConfigurationAreTakenWhileItRuns(t *testing.T) {
	t.Parallel()
	const first, second = "first-key-of-many-letters", "second-key-of-many-letters"
	yaml := func(keys string) string {
		return strings.Replace(reloadHead, `"127.0.0.1:0" }`, `"127.0.0.1:0", keys: [`+keys+`] }`, 1)
	}
	s := newSite(t, "")
	s.write("pictifyd.yaml", yaml(first))
	r := s.reloadable()
	status := func(key string) int {
		got, _ := r.ask("GET", "/bindings", "", "Authorization", "Bearer "+key)
		return got
	}
	follow, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	follow.Header.Set("Authorization", "Bearer "+first)
	stream, err := http.DefaultClient.Do(follow)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()

	s.write("pictifyd.yaml", yaml(first+", "+second))
	r.signal <- syscall.SIGHUP
	eventually(t, "the key that came", func() bool { return status(second) == http.StatusOK })
	if got := status(first); got != http.StatusOK {
		t.Errorf("the key that stays answers %d", got)
	}
	s.write("pictifyd.yaml", yaml(second))
	r.signal <- syscall.SIGHUP
	eventually(t, "the end of the key that went", func() bool { return status(first) == http.StatusUnauthorized })
	if _, err := io.Copy(io.Discard, stream.Body); err != nil { // it ends with its key
		t.Errorf("the stream of the key that went: %v", err)
	}
}

func TestRotatedSecretReachesTheSourcesThatUseIt(t *testing.T) {
	t.Parallel()
	shop := newShop(t, oneMug)
	yaml := func(secret string) string { return "secrets: { shop: { value: " + secret + ", api: true } }\n" }
	r := newSite(t, yaml("before-before")).reloadable()
	r.mustSend(201, "POST", "/sources", fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","every":"1h","bearer":"secret://shop"}`, shop.server.URL))
	eventually(t, "the first reading", func() bool { return shop.lastBearer() == "Bearer before-before" })
	r.mustReload(yaml("after-after"))
	eventually(t, "a reading with the other secret", func() bool { return shop.lastBearer() == "Bearer after-after" })
}

// Nobody need wait any more for the first reading of a source that is sent its rows.
func TestBindingWaitsNoLongerForASourceThatIsReadNoMore(t *testing.T) {
	t.Parallel()
	yaml := func(brands string) string {
		return fmt.Sprintf(`
sources:
  products: { kind: file, path: products.csv, key: sku, every: 1h }
  brands: { %s, key: id }
bindings:
  - { name: cards, source: products, template: card, lookups: { brand: { source: brands, key: brand_id } }, map: { title: sku } }
`, brands)
	}
	s := newSite(t, yaml("kind: file, path: brands.csv"))
	s.write("products.csv", "sku,brand_id\nx,b1\n")
	r := s.reloadable()
	eventually(t, "it says for what it waits", func() bool { return strings.Contains(r.binding("cards").Error, `"brands", whose rows it needs`) })
	r.mustReload(yaml("kind: webhook, path: brands, open: true"))
	eventually(t, "its image", func() bool { return r.ready("cards") == 1 })
}
