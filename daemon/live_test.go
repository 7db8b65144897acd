package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// finderKind is a source that is asked for single rows, at URL/KEY.
var finderKind = connectors.Kind{
	Name: "finder", Summary: "single rows of a test's server",
	Config: func() connectors.Config {
		return &finderConfig{Common: connectors.Common{Every: config.Duration(time.Hour)}}
	},
	New: func(cfg connectors.Config, _ connectors.Env) (connectors.Poller, error) {
		return finder{cfg.(*finderConfig)}, nil
	},
}

type finderConfig struct {
	connectors.Common
	URL    string `yaml:"url"`
	Polled bool   `yaml:"polled"`
}

func (c *finderConfig) Validate() error { return nil }
func (c *finderConfig) Passive() bool   { return !c.Polled }
func (c *finderConfig) Finds() bool     { return true }

type finder struct{ cfg *finderConfig }

// Poll reads URL as a list of rows.
func (f finder) Poll(ctx context.Context, _ connectors.Cursor, emit connectors.Emit) error {
	var rows []map[string]any
	if err := f.get(ctx, f.cfg.URL, &rows); err != nil {
		return err
	}
	b := connectors.Batch{Closes: &connectors.Closing{Complete: true}}
	for _, r := range rows {
		b.Rows = append(b.Rows, connectors.Row{Key: connectors.KeyOf(f.cfg.Key, r), Values: r})
	}
	return emit(ctx, b)
}

var errNoRow = errors.New("404")

func (f finder) Find(ctx context.Context, key []string) (connectors.Row, bool, error) {
	row := map[string]any{}
	err := f.get(ctx, f.cfg.URL+"/"+url.PathEscape(key[0]), &row)
	if errors.Is(err, errNoRow) {
		return connectors.Row{}, false, nil
	}
	return connectors.Row{Key: connectors.KeyOf(f.cfg.Key, row), Values: row}, err == nil, err
}

func (f finder) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return errNoRow
	}
	if res.StatusCode != http.StatusOK {
		err := fmt.Errorf("it answers %d", res.StatusCode)
		if wait, bad := strconv.Atoi(res.Header.Get("Retry-After")); bad == nil {
			return retry.After(err, time.Duration(wait)*time.Second)
		}
		return err
	}
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	return d.Decode(into)
}

// A counter has products, and can be slow or broken.
type counter struct {
	server *httptest.Server
	asked  atomic.Int64 // for single rows
	inside atomic.Int64 // at the same time
	most   atomic.Int64

	mu     sync.Mutex
	titles map[string]string
	status int           // instead of 200
	as     string        // the row that it answers instead
	pause  time.Duration // before each answer

	retryAfter time.Duration
	held       chan struct{} // answers wait until it is closed
}

func newCounter(tb testing.TB) *counter {
	tb.Helper()
	s := &counter{titles: map[string]string{"A": "Mug"}}
	s.server = httptest.NewServer(s)
	tb.Cleanup(s.server.Close)
	return s
}

func (s *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/")
	if id == "" {
		s.list(w)
		return
	}
	s.asked.Add(1)
	s.most.Store(max(s.most.Load(), s.inside.Add(1)))
	defer s.inside.Add(-1)
	s.mu.Lock()
	held, status, as, pause, retryAfter := s.held, s.status, s.as, s.pause, s.retryAfter
	title, ok := s.titles[id]
	s.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-r.Context().Done():
			return
		}
	}
	if pause > 0 {
		<-time.After(pause)
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case status != 0:
		if retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		}
		w.WriteHeader(status)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	default:
		if as != "" {
			id = as
		}
		fmt.Fprintf(w, `{"sku":%q,"title":%q}`, id, title)
	}
}

func (s *counter) list(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []map[string]string{}
	for id, title := range s.titles {
		rows = append(rows, map[string]string{"sku": id, "title": title})
	}
	_ = json.NewEncoder(w).Encode(rows)
}

// change does something to the counter.
func (s *counter) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// A liveSite is a daemon with a binding "cards" that asks a counter of a shop.
type liveSite struct {
	*site
	shop *counter
	null *rendertest.Null
	d    *Daemon
	url  string
}

// newLive runs one whose binding has these further fields.
func newLive(tb testing.TB, live, source, binding string) *liveSite {
	tb.Helper()
	// A source that is polled too is the test's own, any other of kind http.
	l := &liveSite{shop: newCounter(tb), null: &rendertest.Null{Delay: 30 * time.Millisecond}}
	if !strings.Contains(live, "timeout:") {
		live += ", timeout: 60s" // a busy machine is not late
	}
	from := fmt.Sprintf(`{ kind: http, url: "%s/{{ key }}", key: sku }`, l.shop.server.URL)
	if source != "" {
		from = fmt.Sprintf(`{ kind: finder, url: %q, key: sku%s }`, l.shop.server.URL, source)
	}
	l.site = newSite(tb, fmt.Sprintf(`
sources: { shop: %s }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: shop, template: card, sinks: [hook], public: true, live: { %s }%s } ]
`, from, live, binding))
	l.write("templates/soon.html", strings.NewReplacer(`"card"`, `"soon"`, `"required": true, `, "").Replace(cardTemplate))
	l.start()
	return l
}

// start runs the daemon.
func (l *liveSite) start() {
	l.tb.Helper()
	settings := l.settings()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	listening := make(chan string, 1)
	o := Options{Log: quiet(l.tb), Renderer: l.null, Listening: func(a net.Addr) { listening <- a.String() }, started: func(d *Daemon) { l.d = d }}
	go func() { ended <- Run(ctx, settings, o) }()
	l.tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			l.tb.Errorf("the daemon ended: %v", err)
		}
	})
	select {
	case addr := <-listening:
		l.url = "http://" + addr
	case err := <-ended:
		ended <- nil
		l.tb.Fatalf("the daemon ended: %v", err)
	}
}

func (l *liveSite) settings() *Settings {
	l.tb.Helper()
	settings, err := loadWithFinder(filepath.Join(l.dir, "pictifyd.yaml"))
	if err != nil {
		l.tb.Fatal(err)
	}
	return settings
}

// loadWithFinder is Load, that knows the test's kind too.
func loadWithFinder(path string) (*Settings, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return decode(path, src, config.Options{Env: os.LookupEnv, ReadFile: os.ReadFile, Dir: filepath.Dir(path)},
		append(Connectors(), finderKind), Sinks())
}

// get asks for an image.
func (l *liveSite) get(key string) asked {
	l.tb.Helper()
	return ask(l.tb, "GET", l.url+"/b/cards/"+key+".png", "")
}

// age makes what is known of a row older.
func (l *liveSite) age(key string, by time.Duration) {
	l.tb.Helper()
	f := l.d.roster().feeds["shop"]
	s := f.live.known.get(key)
	if s.at.IsZero() {
		l.tb.Fatalf("nothing is known of %s", key)
	}
	s.at, s.again = s.at.Add(-by), time.Time{}
	f.live.known.put(key, s)
}

func mustHeader(t *testing.T, a asked, name, want string) {
	t.Helper()
	if got := a.header.Get(name); !strings.Contains(got, want) {
		t.Errorf("%s is %q, want %q in it", name, got, want)
	}
}

func TestUnknownKeyIsAskedForAndItsImageServed(t *testing.T) {
	l := newLive(t, "ttl: 60s", "", "")
	a := l.get("A").must(t, 200)
	mustHeader(t, a, "Cache-Control", "must-revalidate")
	mustHeader(t, a, "Cache-Control", "public, max-age=")
	if a.header.Get("Etag") == "" || a.header.Get("Age") != "" {
		t.Errorf("headers %v", a.header)
	}
	l.get("A").must(t, 200)
	if n := l.shop.asked.Load(); n != 1 {
		t.Errorf("the source was asked %d times, want once within ttl", n)
	}
	eventually(t, "the sink is told", func() bool { return len(l.receiver.all("render.completed")) == 1 })
}

func TestRowOlderThanTTLIsAskedForAgain(t *testing.T) {
	l := newLive(t, "ttl: 60s", "", "")
	first := l.get("A").must(t, 200)
	l.age("A", time.Minute)
	if same := l.get("A").must(t, 200); same.header.Get("Etag") != first.header.Get("Etag") {
		t.Error("an unchanged row has another image")
	}
	l.shop.change(func() { l.shop.titles["A"] = "Mug XL" })
	l.age("A", time.Minute)
	changed := l.get("A").must(t, 200)
	if changed.header.Get("Etag") == first.header.Get("Etag") {
		t.Error("the image is that of before")
	}
	if asked, made := l.shop.asked.Load(), l.null.Count(); asked != 3 || made != 2 {
		t.Errorf("asked %d times and drew %d, want 3 and 2", asked, made)
	}
	eventually(t, "the sink is told of the change", func() bool { return len(l.receiver.all("render.completed")) == 2 })
}

func TestManyRequestsOfOneKeyAskOnce(t *testing.T) {
	l := newLive(t, "ttl: 60s, timeout: 30s", "", "")
	held := make(chan struct{})
	l.shop.change(func() { l.shop.held = held })
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if a, err := tryAsk(t.Context(), "GET", l.url+"/b/cards/A.png", ""); err != nil || a.status != 200 {
				t.Errorf("status %d: %s, %v", a.status, a.body, err)
			}
		})
	}
	f := l.d.roster().feeds["shop"]
	eventually(t, "all wait", func() bool { return l.shop.asked.Load() > 0 && f.live.asked.Waiting("A") == 200 })
	close(held)
	wg.Wait()
	if asked, made := l.shop.asked.Load(), l.null.Count(); asked != 1 || made != 1 {
		t.Errorf("200 requests asked the source %d times and drew %d pictures, want one each", asked, made)
	}
}
