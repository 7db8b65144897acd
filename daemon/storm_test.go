package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

// A storm is a daemon to which everything happens at once, and the rows that its
// sources have in truth.
type storm struct {
	*site
	t      *testing.T
	rng    *rand.Rand
	p      *process
	server *httptest.Server
	steps  []string // that were taken, for whoever has to find out
	calls  int
	suffix string // of the titles, as the configuration now says

	mu     sync.Mutex
	listed map[string]stormRow // polled
	single map[string]stormRow // asked for one by one
	broken int                 // how the answers are, if not 0
	sent   map[string]stormRow
	brands map[string]string
}

type stormRow struct {
	Name  string `json:"name"`
	Brand string `json:"brand_id"`
}

const stormYAML = `
sources:
  list: { kind: http, url: "SERVER/list", rows: "$.items", key: sku, every: 1s }
  single: { kind: http, url: "SERVER/one/{{ key }}", key: sku }
  sent: { kind: webhook, path: sent, secret: "SECRET", rows: "$.records", key: sku, deleted: 'op == "d"' }
  brands: { kind: webhook, path: brands, secret: "SECRET", rows: "$.records", key: id, deleted: 'op == "d"' }
sinks: { hook: { kind: webhook, url: "SINK" } }
bindings:
  - { name: list, source: list, COMMON }
  - { name: sent, source: sent, COMMON }
  - { name: single, source: single, live: { ttl: 1s, missing_ttl: 1s, timeout: 20s }, COMMON }
`

const stormCommon = `template: card, lookups: { brand: { source: brands, key: brand_id } },
      map: { title: 'name + " of " + (brand?.name ?? "nobody") + "SUFFIX"', price: "1" },
      sinks: [hook], public: true, on_delete: remove, delete_grace: 0s, guard: { max_changed: 40%, max_deleted: 40%, floor: 2 }`

func (s *storm) yaml() string {
	text := strings.ReplaceAll(stormYAML, "COMMON", stormCommon)
	return strings.NewReplacer("SERVER", s.server.URL, "SECRET", crmSecret, "SINK", s.receiver.server.URL, "SUFFIX", s.suffix).Replace(text)
}

// Whatever happens in whatever order, with the daemon killed in between: when it
// is over, the images are what the rows of the sources say, and the sink knows it.
func TestImagesAreWhatTheRowsSayAfterAnyStorm(t *testing.T) {
	seeds := uint64(4)
	if campaign.Whole() {
		seeds = 60
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			s := newStorm(t, seed)
			for range 40 {
				s.step()
			}
			s.calm()
		})
	}
}

func newStorm(t *testing.T, seed uint64) *storm {
	t.Helper()
	s := &storm{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), site: newSite(t, ""),
		listed: map[string]stormRow{}, single: map[string]stormRow{}, sent: map[string]stormRow{}, brands: map[string]string{},
	}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	for i := range 8 {
		s.listed[fmt.Sprint("l", i)] = s.row()
		s.single[fmt.Sprint("o", i)] = s.row()
	}
	s.write("pictifyd.yaml", reloadHead+s.yaml())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the steps were:\n%s", strings.Join(s.steps, "\n"))
		}
	})
	s.start("")
	s.brand("b0", "Acme")
	return s
}

// ServeHTTP answers as the sources do.
func (s *storm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body string
	if key, one := strings.CutPrefix(r.URL.Path, "/one/"); one {
		row, there := s.single[key]
		if !there {
			http.NotFound(w, r)
			return
		}
		body = fmt.Sprintf(`{"sku":%q,"name":%q,"brand_id":%q}`, key, row.Name, row.Brand)
	} else {
		var items []string
		for _, key := range slices.Sorted(maps.Keys(s.listed)) {
			items = append(items, fmt.Sprintf(`{"sku":%q,"name":%q,"brand_id":%q}`, key, s.listed[key].Name, s.listed[key].Brand))
		}
		body = `{"items":[` + strings.Join(items, ",") + `]}`
	}
	w.Header().Set("Content-Type", "application/json")
	switch s.broken {
	case 1:
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	case 2: // it breaks off
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		body = body[:len(body)/2]
	case 3:
		w.Header().Set("Content-Type", "text/html")
		body = "<html><body>Please log in</body></html>"
	case 4: // the list is elsewhere
		body = strings.Replace(body, "items", "entries", 1)
	case 5:
		body = ""
	}
	_, _ = io.WriteString(w, body)
}

func (s *storm) note(format string, args ...any) {
	s.steps = append(s.steps, fmt.Sprintf(format, args...))
}

func (s *storm) row() stormRow {
	return stormRow{fmt.Sprint("Mug ", s.rng.IntN(4)), fmt.Sprint("b", s.rng.IntN(3))}
}

// start runs the daemon, perhaps one that kills itself at a point.
func (s *storm) start(crash string) {
	s.t.Helper()
	env := []string{childReload + "=1"}
	if crash != "" {
		env = append(env, childCrash+"="+crash)
	}
	s.note("start %s", crash)
	if s.p = s.site.start(env...); s.p.url == "" {
		if crash == "" {
			s.t.Fatalf("the daemon does not start: %v\n%s", s.p.err, s.p.log)
		}
		s.start("")
	}
}

// do asks the daemon that is there, and another one where it has died.
func (s *storm) do(what string, ask func() (done bool)) {
	s.t.Helper()
	s.note("%s", what)
	eventually(s.t, what, func() bool {
		select {
		case <-s.p.done:
			s.note("it died")
			s.start("")
		default:
		}
		return ask()
	})
}

// call sends rows, the same message until it is taken.
func (s *storm) call(path, rows string) {
	s.calls++
	id := fmt.Sprint("msg_", s.calls)
	body := records(rows)
	s.do(path+" "+rows, func() bool {
		code, answer, err := s.p.tell(path, id, body)
		if err == nil && code != http.StatusOK && code != http.StatusServiceUnavailable && code != http.StatusTooManyRequests {
			s.t.Fatalf("%d %+v", code, answer)
		}
		return err == nil && code == http.StatusOK
	})
}

func (s *storm) brand(id, name string) {
	s.brands[id] = name
	s.call("brands", fmt.Sprintf(`{"id":%q,"name":%q}`, id, name))
}

var stormPoints = []string{
	"plan.committed", "closing.tx", "renders.claimed", "blobs.written", "renders.recorded", "turn.ending",
	"delivery.claimed", "delivery.answered", "hook.committed", "lookups.noted", "lookups.judged", "row.found", "asked.recorded", "images.removed",
}

func (s *storm) step() {
	s.t.Helper()
	n := s.rng.IntN(10)
	switch kind := s.rng.IntN(14); kind {
	case 0, 1: // rows of the list change, are new, or go
		s.mu.Lock()
		for range s.rng.IntN(6) {
			key := fmt.Sprint("l", s.rng.IntN(10))
			if s.rng.IntN(4) == 0 && key != "l0" {
				delete(s.listed, key)
			} else {
				s.listed[key] = s.row()
			}
		}
		s.mu.Unlock()
		s.note("the list changes")
		s.refresh()
	case 2:
		s.refresh()
	case 3, 4, 5:
		key, row := fmt.Sprint("c", n), s.row()
		s.sent[key] = row
		s.call("sent", fmt.Sprintf(`{"sku":%q,"name":%q,"brand_id":%q}`, key, row.Name, row.Brand))
	case 6:
		key := fmt.Sprint("c", n)
		delete(s.sent, key)
		s.call("sent", fmt.Sprintf(`{"sku":%q,"op":"d"}`, key))
	case 7:
		s.brand(fmt.Sprint("b", n%3), fmt.Sprint("Brand ", n))
	case 8:
		id := fmt.Sprint("b", n%3)
		delete(s.brands, id)
		s.call("brands", fmt.Sprintf(`{"id":%q,"op":"d"}`, id))
	case 9: // a row that is asked for changes, or goes
		key := fmt.Sprint("o", n)
		s.mu.Lock()
		if delete(s.single, key); n%3 > 0 {
			s.single[key] = s.row()
		}
		s.mu.Unlock()
		s.look("o" + fmt.Sprint(s.rng.IntN(10)))
	case 10:
		s.look(fmt.Sprint("o", n))
	case 11: // another configuration
		s.suffix = []string{"", "!", "?"}[n%3]
		s.note("reload with %q", s.suffix)
		s.write("pictifyd.yaml", reloadHead+s.yaml())
		_ = s.p.cmd.Process.Signal(syscall.SIGHUP)
	case 12:
		s.accept()
		s.mu.Lock()
		s.broken = s.rng.IntN(8) // from 6 on it is well
		s.mu.Unlock()
		s.note("answers are %d", s.broken)
	case 13:
		if n < 5 {
			s.note("kill")
			s.p.kill()
		} else {
			s.p.terminate()
		}
		crash := ""
		if s.rng.IntN(3) > 0 {
			crash = fmt.Sprint(stormPoints[s.rng.IntN(len(stormPoints))], ":", 1+s.rng.IntN(3))
		}
		s.start(crash)
	}
}

func (s *storm) refresh() {
	s.do("refresh", func() bool {
		code, _ := s.p.ask("POST", "/bindings/list/refresh", "")
		return code == http.StatusAccepted
	})
}

// look has somebody look at an image; what it is now is nobody's business.
func (s *storm) look(key string) {
	s.do("look at "+key, func() bool { code, _ := s.p.ask("GET", "/b/single/"+key+".png", ""); return code > 0 })
}

// accept lets through what the guard holds.
func (s *storm) accept() {
	for _, b := range []string{"list", "sent", "single"} {
		var v struct {
			Guard struct {
				Held *struct{ Changes, Removals int }
			}
		}
		s.do("guard of "+b, func() bool {
			code, text := s.p.ask("GET", "/bindings/"+b+"/guard", "")
			return code == http.StatusOK && json.Unmarshal([]byte(text), &v) == nil
		})
		if h := v.Guard.Held; h != nil {
			s.note("accept %+v", *h)
			s.p.ask("POST", "/bindings/"+b+"/guard/accept", fmt.Sprintf(`{"changes":%d,"removals":%d}`, h.Changes, h.Removals))
		}
	}
}

// calm waits until the images are what the rows say.
func (s *storm) calm() {
	s.t.Helper()
	s.note("calm")
	s.mu.Lock()
	s.broken = 0
	s.mu.Unlock()
	s.p.terminate() // so that none is left that kills itself
	s.start("")
	last := ""
	defer func() {
		if s.t.Failed() {
			s.t.Logf("at last: %s\n%s\n%s\n%s", last, s.p.text("/sources/list"), s.p.text("/bindings/list"), s.p.text("/bindings/list/rows"))
		}
	}()
	for name, rows := range map[string]map[string]stormRow{"list": s.listed, "sent": s.sent, "single": s.single} {
		for i := range 10 {
			key := map[string]string{"list": "l", "sent": "c", "single": "o"}[name] + fmt.Sprint(i)
			row, there := rows[key]
			want := ""
			if there {
				want = s.drawn(row)
			}
			eventually(s.t, name+"/"+key, func() bool {
				code, text := s.p.ask("GET", "/b/"+name+"/"+key+".png", "")
				last = fmt.Sprint(name, "/", key, " is ", row, " (", there, ") and answers ", code)
				if there && code == http.StatusOK && text == want || !there && (code == http.StatusNotFound || code == http.StatusGone) {
					return true
				}
				s.accept()
				return false
			})
			if there {
				eventually(s.t, "the sink knows "+key, func() bool { return s.told(key) == want })
			}
		}
	}
	s.receiver.lastGenerations(s.t)
	eventually(s.t, "every delivery is accounted for", func() bool { return s.p.owes("hook") == 0 })
}

// drawn is the image of a row, made another way.
func (s *storm) drawn(row stormRow) string {
	brand, there := s.brands[row.Brand]
	if !there {
		brand = "nobody"
	}
	code, text := s.p.ask("POST", "/templates/card/render", fmt.Sprintf(`{"response":"binary","variables":{"title":%q,"price":1}}`, row.Name+" of "+brand+s.suffix))
	if code != http.StatusOK {
		s.t.Fatalf("render: %d %s", code, text)
	}
	return text
}

// told is the image of key that the sink heard of last.
func (s *storm) told(key string) string {
	var image string
	for _, h := range s.receiver.all("render.completed") {
		var d struct {
			Key     string
			Outputs []struct{ URL string }
		}
		if err := json.Unmarshal(h.Data, &d); err == nil && d.Key == key && len(d.Outputs) > 0 {
			image = d.Outputs[0].URL
		}
	}
	u, err := url.Parse(image)
	if err != nil || image == "" {
		return ""
	}
	_, text := s.p.ask("GET", u.Path, "")
	return text
}
