package daemon

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

const deliveryStormYAML = `
sources:
  crm: { kind: webhook, path: crm, secret: "` + crmSecret + `", rows: "$.records", key: id, deleted: 'op == "d"' }
sinks:
  hook: { kind: webhook, url: "PATH", timeout: PATIENCE }
  well: { kind: webhook, url: "RECEIVER" }
bindings:
  - { name: cards, source: crm, template: card, map: { title: name }, sinks: [hook, well], public: true, on_delete: remove, guard: { max_changed: 100%, max_deleted: 100% } }
`

// deliveryPoints are the durable steps of a delivery.
var deliveryPoints = []string{"delivery.claimed", "delivery.answered", "delivery.finish", "renders.recorded"}

// A deliveryStorm is a daemon that changes rows, with a faulty path to its sink.
type deliveryStorm struct {
	*site
	t     *testing.T
	rng   *rand.Rand
	path  *faultyPath
	p     *process
	rows  map[string]string // the name of each row that there is
	calls int
}

// Whatever the path to a receiver does, and whenever the daemon is killed: the
// receiver hears everything at least once, the same under the same id, and in
// the end has what the rows say. The ledger accounts for every delivery.
func TestReceiverHasTheLastStateThroughAnyPath(t *testing.T) {
	seeds := uint64(3)
	if campaign.Whole() {
		seeds = 40
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			s := newDeliveryStorm(t, seed)
			for range 60 {
				s.step()
			}
			s.calm()
		})
	}
}

func newDeliveryStorm(t *testing.T, seed uint64) *deliveryStorm {
	t.Helper()
	path := newFaultyPath(t, seed)
	yaml := strings.NewReplacer("PATH", path.server.URL, "PATIENCE", pathPatience.String()).Replace(deliveryStormYAML)
	s := &deliveryStorm{t: t, site: newSite(t, ""), rng: rand.New(rand.NewPCG(seed, 2)), path: path, rows: map[string]string{}}
	// Addresses stay as they are, whatever port the daemon gets: a delivery says the same at each try.
	s.write("pictifyd.yaml", chromeFor("")+`
server: { listen: "127.0.0.1:0", public_url: "https://cards.example" }
egress: { allow: ["127.0.0.1"] }
templates: templates
`+strings.ReplaceAll(yaml, "RECEIVER", s.receiver.server.URL))
	s.start("")
	return s
}

func (s *deliveryStorm) start(crash string) {
	s.t.Helper()
	env := []string{childHaste + "=1"}
	if crash != "" {
		env = append(env, childCrash+"="+crash)
	}
	if s.p = s.site.start(env...); s.p.url == "" {
		if crash == "" {
			s.t.Fatalf("the daemon does not start: %v\n%s", s.p.err, s.p.log)
		}
		s.start("")
	}
}

func (s *deliveryStorm) step() {
	s.t.Helper()
	switch n := s.rng.IntN(20); {
	case n == 0:
		s.p.kill()
		s.start("")
	case n == 1:
		s.p.terminate()
		s.start(fmt.Sprint(deliveryPoints[s.rng.IntN(len(deliveryPoints))], ":", 1+s.rng.IntN(3)))
	case n < 5:
		s.send(fmt.Sprint("k", s.rng.IntN(12)), "")
	default:
		s.send(fmt.Sprint("k", s.rng.IntN(12)), fmt.Sprint("Mug ", s.rng.IntN(6)))
	}
}

// send changes a row; without a name it goes.
func (s *deliveryStorm) send(key, name string) {
	s.t.Helper()
	s.calls++
	body := records(record(key, name))
	if s.rows[key] = name; name == "" {
		delete(s.rows, key)
		body = records(fmt.Sprintf(`{"id":%q,"op":"d"}`, key))
	}
	eventually(s.t, "call of "+body, func() bool {
		select {
		case <-s.p.done: // killed by itself
			s.start("")
		default:
		}
		code, _, err := s.p.tell("crm", fmt.Sprint("msg_", s.calls), body)
		return err == nil && code == http.StatusOK
	})
}

// calm ends the faults and holds what the receiver has against the rows.
func (s *deliveryStorm) calm() {
	s.t.Helper()
	met := s.path.met
	for i := 0; len(met) < len(everyFault) && i < 200; i++ { // until each was met
		s.send(fmt.Sprint("k", i%12), fmt.Sprint("More ", i))
	}
	s.path.quiet()
	s.p.terminate()
	s.start("")
	var held passage
	defer func() {
		if s.t.Failed() {
			s.t.Logf("at last %+v\n%s", held, s.p.text("/bindings/cards/rows"))
		}
	}()
	for i := range 12 {
		key := fmt.Sprint("k", i)
		name, there := s.rows[key]
		eventually(s.t, "the receiver knows "+key, func() bool {
			held, _ = s.path.journal.of(key)
			if !there {
				return held.Event != "render.completed"
			}
			return held.Event == "render.completed" && s.shows(held.Data.URL, key, name)
		})
	}
	s.path.rest.Wait() // what strays arrives, and changes nothing
	for i := range 12 {
		key := fmt.Sprint("k", i)
		if name, there := s.rows[key]; there {
			if held, _ = s.path.journal.of(key); !s.shows(held.Data.URL, key, name) {
				s.t.Errorf("after a stray arrival the receiver has %s for %s", held.Data.URL, key)
			}
		}
	}
	s.path.journal.check(s.t)
	for _, f := range everyFault {
		if s.path.met[f] == 0 {
			s.t.Errorf("the path was never %q", f)
		}
	}
	if s.path.journal.repeated() == 0 {
		s.t.Error("nothing came twice: the path was not faulty")
	}
	s.account("hook")
	s.account("well")
}

// shows reports whether an address that the receiver was told is the row's image.
func (s *deliveryStorm) shows(address, key, name string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	code, told := s.p.ask("GET", u.Path, "")
	_, now := s.p.ask("GET", "/b/cards/"+key+".png", "")
	_, want := s.p.ask("POST", "/templates/card/render", fmt.Sprintf(`{"response":"binary","variables":{"title":%q,"price":1}}`, name))
	return code == http.StatusOK && told == now && told == want
}

var countLine = regexp.MustCompile(`(?m)^pictifyd_deliveries\{sink="([^"]+)",state="([a-z]+)"\} (\d+)`)

// account waits until nothing waits, and adds up what became of everything.
func (s *deliveryStorm) account(sink string) {
	s.t.Helper()
	counts := map[string]int{}
	eventually(s.t, "nothing waits for "+sink, func() bool {
		clear(counts)
		for _, m := range countLine.FindAllStringSubmatch(s.p.text("/metrics"), -1) {
			if m[1] == sink {
				counts[m[2]], _ = strconv.Atoi(m[3])
			}
		}
		return counts["planned"] > 0 && counts["waiting"] == 0
	})
	if counts["planned"] != counts["delivered"]+counts["dead"]+counts["superseded"] || counts["dead"] > 0 {
		s.t.Errorf("of %s: %v, want planned = delivered + superseded", sink, counts)
	}
}
