// Command traffic plays the people of examples/experiment, over the API alone: some get
// the card in a mail, others see it on a page, some of them order, and robots look as
// well. Who orders is drawn from a seed, with the same chances as the last time; which
// variant somebody is given, pictifyd decides.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// orders is how many of those who see a variant order.
var orders = map[string]float64{"mood": 0.08, "price": 0.16}

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

type shop struct {
	server, slug, key string
	writeKey          string
	chance            *rand.Rand
	events            []map[string]any // not sent yet
	looked            int64            // robots
}

func main() {
	log.SetFlags(0)
	server := flag.String("server", cmp.Or(os.Getenv("PICTIFYD_SERVER"), "http://127.0.0.1:8080"), "where pictifyd answers")
	people := flag.Int("people", 2000, "how many get a mail; as many see the page")
	flag.Parse()
	s := &shop{server: strings.TrimRight(*server, "/"), slug: "summer-card", key: os.Getenv("PICTIFYD_KEY"), chance: rand.New(rand.NewPCG(1, 2))}
	s.began()
	fmt.Printf("The experiment runs: %s/studio/experiments shows it.\n", s.server)
	s.mails(*people)
	fmt.Printf("%d mails are written, and some of who got one have ordered.\n", *people)
	s.visits(*people)
	fmt.Printf("%d people have seen the page, each twice, and some have ordered.\n", *people)
	s.robots(200)
	fmt.Println("200 robots have looked as well.")
	s.report()
	s.complete()
}

// began waits until the daemon has started the experiment of its file.
func (s *shop) began() {
	var answer struct {
		Experiment struct{ Status, WriteKey string }
	}
	for range 120 {
		if s.try("GET", "/experiments/"+s.slug, nil, &answer) == nil && answer.Experiment.Status == "running" {
			s.writeKey = answer.Experiment.WriteKey
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
	log.Fatalf("no experiment %s runs at %s: start pictifyd run -c examples/experiment/pictifyd.yaml, and begin with a new store", s.slug, s.server)
}

// mails asks for the variants of all recipients before the mail is written. They count
// from then on, whether or not a mail program loads the image.
func (s *shop) mails(people int) {
	for from := 0; from < people; from += 1000 {
		var units []string
		for i := from; i < min(from+1000, people); i++ {
			units = append(units, fmt.Sprintf("customer-%d", i))
		}
		var answer struct {
			Assignments []struct{ Unit, Variant, ImageURL string }
		}
		s.must("POST", "/experiments/"+s.slug+"/assignments", map[string]any{"units": units, "channel": "email"}, &answer)
		for _, a := range answer.Assignments {
			address, err := url.Parse(a.ImageURL)
			if err != nil {
				log.Fatal(err)
			}
			// Nobody can order for somebody else: the link of the mail brings the
			// signature of its unit to the shop, which sends it along.
			s.mayOrder(a.Unit, a.Variant, "email", address.Query().Get("sig"))
		}
	}
	s.send()
}

// visits has people see the image on a page, each twice: they count once.
func (s *shop) visits(people int) {
	for i := range people {
		unit := fmt.Sprintf("visitor-%d", i)
		variant := s.look(unit, browser)
		if again := s.look(unit, browser); again != variant {
			log.Fatalf("%s saw %s, and then %s", unit, variant, again)
		}
		s.mayOrder(unit, variant, "web", "")
	}
	s.send()
}

// robots see the control, and count nowhere.
func (s *shop) robots(many int) {
	s.looked += int64(many)
	for i := range many {
		s.look(fmt.Sprintf("robot-%d", i), "Googlebot/2.1 (+http://www.google.com/bot.html)")
	}
}

// look is what a browser does with <img src>, and returns which variant was shown.
func (s *shop) look(unit, agent string) string {
	r, err := http.NewRequest(http.MethodGet, s.server+"/s/"+s.slug+"/"+url.PathEscape(unit)+".png", nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("User-Agent", agent)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil || res.StatusCode != http.StatusOK {
		log.Fatalf("%s: %s, %v", r.URL, res.Status, err)
	}
	return res.Header.Get("X-Variant")
}

// mayOrder notes an order, if there is one.
func (s *shop) mayOrder(unit, variant, channel, signature string) {
	if s.chance.Float64() >= orders[variant] {
		return
	}
	s.events = append(s.events, map[string]any{"experiment": s.slug, "event": "conversion", "unit": unit, "id": "order-" + unit, "channel": channel, "sig": signature})
}

// send reports the orders as a page would, with the write key; and the first ones
// twice, as a page that is loaded again would.
func (s *shop) send() {
	for from := 0; from < len(s.events); from += 100 {
		page := s.events[from:min(from+100, len(s.events))]
		s.must("POST", "/s/events", map[string]any{"events": page}, nil)
		if from == 0 {
			s.must("POST", "/s/events", map[string]any{"events": page}, nil)
		}
	}
	s.events = nil
}

// report shows what pictifyd makes of it.
func (s *shop) report() {
	var answer struct {
		Decision struct {
			Verdict         string
			Reasons         []string
			SuggestedWinner string
		}
		SRM      struct{ P float64 }
		Variants []struct {
			ID                              string
			Fetches, Exposures, Conversions int64
			Suspects                        int64
			Rate, Lift, ProbabilityBest     *float64
			LiftInterval                    []float64
		}
		Experiment struct {
			Excluded struct{ Bots, Duplicates, Repeats int64 }
		}
	}
	for range 100 { // the last fetches are written down within a second or two
		s.must("GET", "/experiments/"+s.slug+"/results", nil, &answer)
		if answer.Experiment.Excluded.Bots >= s.looked {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Printf("\n%-8s %9s %9s %9s %7s %9s %22s\n", "variant", "units", "orders", "rate", "best", "lift", "between, at any look")
	for _, v := range answer.Variants {
		lift, between := "control", ""
		if v.Lift != nil {
			lift = fmt.Sprintf("%+.0f %%", *v.Lift*100)
		}
		if len(v.LiftInterval) == 2 {
			between = fmt.Sprintf("%+.0f and %+.0f %%", v.LiftInterval[0]*100, v.LiftInterval[1]*100)
		}
		fmt.Printf("%-8s %9d %9d %7.1f %% %5.1f %% %9s %22s\n", v.ID, v.Exposures, v.Conversions, *v.Rate*100, *v.ProbabilityBest*100, lift, between)
	}
	fmt.Printf("spread as the weights have it: p = %.2g; not counted: %d fetches by robots, %d repeated events, %d repeated looks\n",
		answer.SRM.P, answer.Experiment.Excluded.Bots, answer.Experiment.Excluded.Duplicates, answer.Experiment.Excluded.Repeats)
	fmt.Printf("verdict: %s\n", answer.Decision.Verdict)
	for _, why := range answer.Decision.Reasons {
		fmt.Println("  -", why)
	}
}

// complete ends the experiment with the winner that the numbers name, and nothing else.
func (s *shop) complete() {
	var answer struct {
		Experiment struct{ Winner string }
	}
	if err := s.try("POST", "/experiments/"+s.slug+"/complete", nil, &answer); err != nil {
		log.Fatalf("there is no winner: %v", err)
	}
	fmt.Printf("\nThe winner is %q: from now on everybody is shown it, at the same addresses.\n", answer.Experiment.Winner)
}

func (s *shop) must(method, path string, body, answer any) {
	if err := s.try(method, path, body, answer); err != nil {
		log.Fatal(err)
	}
}

// try calls the API.
func (s *shop) try(method, path string, body, answer any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequest(method, s.server+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	switch {
	case strings.HasPrefix(path, "/s/"):
		r.Header.Set("X-Write-Key", s.writeKey)
	case s.key != "":
		r.Header.Set("Authorization", "Bearer "+s.key)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s\n%s", method, path, res.Status, got)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(got, answer)
}
