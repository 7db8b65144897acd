package daemon

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/experiment"
)

func TestClickLeadsToTheDestinationAlone(t *testing.T) {
	s := newShowroom(t, nil)
	a := s.get("/s/two-cards/u 1.png")
	for range 2 {
		click := s.get("/s/two-cards/u%201/click?to=https://evil.example&px_exp=evil&from=evil")
		to, err := url.Parse(click.header.Get("Location"))
		want := url.Values{"from": {"mail"}, "px_exp": {"two-cards"}, "px_unit": {"u 1"}}
		if err != nil || click.status != http.StatusFound || to.Host != "shop.example" || to.Path != "/cards" || !cmp.Equal(to.Query(), want) {
			t.Errorf("got %d to %s", click.status, to)
		}
	}
	if got := s.counts()[a.variant+" web other"]; got != "1 fetches 1 exposures 1 clicks 1 conversions" {
		t.Errorf("counted %q, want the click once, and as the goal", got)
	}
	if click := s.get("/s/two-cards/click"); click.status != http.StatusFound || strings.Contains(click.header.Get("Location"), "px_unit") {
		t.Errorf("without a unit it leads to %d %s", click.status, click.header.Get("Location"))
	}
}

func TestClickWithoutADestinationIsNotFound(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Goal = experiment.Goal{Type: experiment.GoalConversion} })
	if click := s.get("/s/two-cards/u1/click?to=https://evil.example"); click.status != http.StatusNotFound || click.header.Get("Location") != "" {
		t.Errorf("got %d to %s", click.status, click.header.Get("Location"))
	}
	if m := s.mail("ada")["ada"]; m.ClickURL != "" || m.ImageURL == "" {
		t.Errorf("its addresses are %+v", m)
	}
}

// Machines, gateways in haste, and who has no signature click on mails without counting.
func TestClicksOnMailsAreJudged(t *testing.T) {
	s := newShowroom(t, nil)
	at := time.Now().Add(-time.Hour)
	units := map[string]string{}
	for _, unit := range []string{"person", "bot", "head", "unsigned", "prefetch"} {
		met, err := s.d.exhibit.meetings.do(t.Context(), experiment.Meeting{
			Assignment: experiment.Assignment{Experiment: s.e.ID, Unit: unit, Variant: "bold", Channel: experiment.Email, At: at}, Exposed: true, Client: clientPlanned,
		})
		if err != nil || met[0].Variant != "bold" {
			t.Fatal(met, err)
		}
		units[unit] = s.d.unitURLs(s.e, unit).Click
	}
	units["hasty"] = s.mail("hasty")["hasty"].ClickURL
	for unit, a := range map[string]shownAnswer{
		"person":   s.get(units["person"]),
		"bot":      s.get(units["bot"], "User-Agent", "Mozilla/5.0 mimecast"),
		"head":     s.ask(http.MethodHead, units["head"]),
		"unsigned": s.get("/s/two-cards/unsigned/click"),
		"prefetch": s.get(units["prefetch"], "Purpose", "prefetch"),
		"hasty":    s.get(units["hasty"]),
	} {
		if a.status != http.StatusFound || !strings.HasPrefix(a.header.Get("Location"), "https://shop.example/cards?") {
			t.Errorf("%s: %d to %s", unit, a.status, a.header.Get("Location"))
		}
		if got, _ := s.assigned(unit); got.ClickedAt.IsZero() == (unit == "person") {
			t.Errorf("%s clicked at %v", unit, got.ClickedAt)
		}
	}
	if a := s.get("/s/two-cards/made-up/click", "User-Agent", "curl/8.0"); a.status != http.StatusFound {
		t.Errorf("a machine that made up a unit: %d", a.status)
	}
	if got := s.counts()["web bot"]; got != "1 suspects" {
		t.Errorf("a machine that made up a unit counted %q", got)
	}
	wrong := strings.Replace(units["person"], "/person/", "/bot/", 1)
	if a := s.get(wrong); a.status != http.StatusForbidden || a.header.Get("Location") != "" {
		t.Errorf("a wrong signature: %d", a.status)
	}
	kept, err := s.d.store.ExportEvents(t.Context(), s.e.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	suspects := map[string]string{}
	for _, e := range kept {
		suspects[e.Unit] = e.Suspect
	}
	want := map[string]string{"person": "", "bot": "mail_gateway", "head": "head", "unsigned": forgedUnit, "prefetch": "prefetch", "hasty": tooSoon}
	if diff := cmp.Diff(want, suspects); diff != "" {
		t.Errorf("why they do not count (-want +got):\n%s", diff)
	}
}

func TestEventsCountOnceForTheTrueVariant(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Goal.Type = experiment.GoalConversion })
	key := s.d.writeKey(s.e)
	variant := s.get("/s/two-cards/u1.png").variant
	other := map[string]string{"plain": "bold", "bold": "plain"}[variant]
	claims := conversion("u1", "order-1")
	claims["variantId"] = other
	for _, c := range []struct {
		event map[string]any
		want  string // processed, duplicates, code of a warning
	}{
		{claims, "1 0 variant_mismatch"},
		{conversion("u1", "order-1"), "0 1 "},
		{conversion("u1", "order-2"), "1 0 "},
		{conversion("never-shown", "order-3"), "1 0 unassigned"},
		{map[string]any{"experiment": "two-cards", "event": "conversion", "unit": "u1", "at": time.Now().Add(-2 * time.Minute).Format(time.RFC3339)}, "1 0 before_exposure"},
	} {
		a := s.report(key, c.event)
		code := ""
		if w, _ := a["warnings"].([]any); len(w) > 0 {
			code, _ = w[0].(map[string]any)["code"].(string)
		}
		if got := fmt.Sprint(a["processed"], a["duplicates"], " ", code); got != c.want {
			t.Errorf("%v: got %q, want %q: %v", c.event, got, c.want, a)
		}
	}
	if got := s.counts()[variant+" web other"]; got != "1 fetches 1 exposures 1 suspects 1 conversions 1 duplicates 1 mismatches" {
		t.Errorf("counted %q", got)
	}
	if got, ok := s.counts()[other+" web other"]; ok {
		t.Errorf("the claimed variant counted %q", got)
	}
}

func TestWriteKeyIsOfOneExperiment(t *testing.T) {
	s := newShowroom(t, nil)
	s.d.exhibits(t, newExperiment("three-cards"))
	key := s.d.writeKey(s.e)
	for _, wrong := range []string{"wk_wrong", s.d.writeKey(newExperiment("three-cards")), s.e.ID} {
		if a := s.report(wrong, conversion("u1", "1")); a["status"] != http.StatusForbidden || a["code"] != "write_key_invalid" {
			t.Errorf("with %q: %v", wrong, a)
		}
	}
	other := conversion("u1", "2")
	other["experiment"] = "three-cards"
	a := s.report(key, conversion("u1", "3"), other)
	errs, _ := a["errors"].([]any)
	if a["processed"] != 1.0 || len(errs) != 1 || errs[0].(map[string]any)["code"] != "write_key_invalid" || errs[0].(map[string]any)["index"] != 1.0 {
		t.Errorf("got %v, want the other experiment's event refused", a)
	}
}

// A page has no signature of the mail that led to it: it may report for a unit that
// came by its mail's link, and for no other unit of mails.
func TestPageReportsForWhoCameByTheMail(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Goal.Type = experiment.GoalConversion })
	key := s.d.writeKey(s.e)
	for _, unit := range []string{"came", "guessed"} {
		if _, err := s.d.exhibit.meetings.do(t.Context(), experiment.Meeting{
			Assignment: experiment.Assignment{Experiment: s.e.ID, Unit: unit, Variant: "bold", Channel: experiment.Email, At: time.Now().Add(-time.Hour)}, Exposed: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	s.get(s.d.unitURLs(s.e, "came").Click)
	s.report(key, conversion("came", "1"), conversion("guessed", "2"))
	signed := conversion("guessed", "3")
	signed["sig"] = strings.Repeat("A", 22)
	if a := s.report(key, signed); a["status"] != http.StatusForbidden || a["code"] != "signature_invalid" {
		t.Errorf("a wrong signature: %v", a)
	}
	for unit, want := range map[string]bool{"came": true, "guessed": false} {
		if a, _ := s.assigned(unit); a.ConvertedAt.IsZero() == want {
			t.Errorf("%s converted at %v", unit, a.ConvertedAt)
		}
	}
	signed["sig"] = s.d.exhibit.keys.sign(s.e.ID, "guessed")
	s.report(key, signed)
	if a, _ := s.assigned("guessed"); a.ConvertedAt.IsZero() {
		t.Error("with its signature it does not count")
	}
}

func TestNothingCountsWhilePaused(t *testing.T) {
	s := newShowroom(t, nil)
	variant := s.get("/s/two-cards/u1.png").variant
	s.save(func(e *experiment.Experiment) { e.Status = experiment.Paused })
	if a := s.get("/s/two-cards/u1/click"); a.status != http.StatusFound {
		t.Errorf("paused, a click answers %d", a.status)
	}
	s.report(s.d.writeKey(s.e), map[string]any{"experiment": "two-cards", "event": "click", "unit": "u1"})
	if got := s.counts()[variant+" web other"]; got != "1 fetches 1 exposures 2 suspects" {
		t.Errorf("counted %q", got)
	}
	s.save(func(e *experiment.Experiment) { e.Status, e.Winner = experiment.Completed, variant })
	s.get("/s/two-cards/u1/click") // late
	if got := s.counts()[variant+" web other"]; got != "1 fetches 1 exposures 2 suspects 1 clicks 1 conversions" {
		t.Errorf("after the end it counted %q, want the late click as well", got)
	}
}

// Many at the same time: each unit is exposed once, each click counts once.
func TestManyAtOnceAreCountedExactly(t *testing.T) {
	s := newShowroom(t, nil)
	const units, times = 50, 4
	var wg sync.WaitGroup
	for i := range units * times {
		wg.Go(func() {
			unit := fmt.Sprint("u", i%units)
			for _, path := range []string{".png", "/click"} {
				if a, err := tryRequest(http.MethodGet, s.url+"/s/two-cards/"+unit+path, ""); err != nil || a.status >= 400 {
					t.Errorf("%s%s: %d, %v", unit, path, a.status, err)
				}
			}
		})
	}
	wg.Wait()
	total := map[string]int{}
	for _, line := range s.counts() {
		words := strings.Fields(line)
		for i := 0; i < len(words); i += 2 {
			var n int
			fmt.Sscan(words[i], &n)
			total[words[i+1]] += n
		}
	}
	want := map[string]int{"fetches": units * times, "exposures": units, "clicks": units, "conversions": units}
	if diff := cmp.Diff(want, total); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// Assigned again it is the same, and the exposure is the one of the first time.
func TestMailsMayBeAssignedAgain(t *testing.T) {
	s := newShowroom(t, nil)
	units := make([]string, 200)
	for i := range units {
		units[i] = fmt.Sprint("customer ", i)
	}
	first := s.mail(units...)
	if again := s.mail(units...); !cmp.Equal(first, again) {
		t.Errorf("the second time it was another answer: %s", cmp.Diff(first, again))
	}
	n := map[string]int{}
	for _, m := range first {
		n[m.Variant]++
	}
	want := map[string]string{
		"plain email " + clientPlanned: fmt.Sprint(n["plain"], " exposures"), "bold email " + clientPlanned: fmt.Sprint(n["bold"], " exposures"),
	}
	if diff := cmp.Diff(want, s.counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	s.save(func(e *experiment.Experiment) { e.Status = experiment.Paused })
	if m := s.mail("customer 0", "somebody"); m["customer 0"].Variant != first["customer 0"].Variant || m["somebody"].Variant != "plain" || m["somebody"].Counted {
		t.Errorf("paused: %+v", m)
	}
	s.save(func(e *experiment.Experiment) { e.Status, e.Winner = experiment.Completed, "bold" })
	if m := s.mail("customer 0", "somebody"); m["customer 0"].Variant != "bold" || m["somebody"].Variant != "bold" {
		t.Errorf("completed: %+v, want the winner for all", m)
	}
}

// What is written down says nothing of the address and the browser of anybody.
func TestNothingKeptSaysWhoSomebodyIs(t *testing.T) {
	s := newShowroom(t, nil)
	const browser = "Mozilla/5.0 (X11; Haiku x86_64) TellTaleBrowser/7.77"
	header := []string{"User-Agent", browser, "X-Forwarded-For", "203.0.113.77", "Referer", "https://mail.example/inbox/ada-secret"}
	m := s.mail("ada")["ada"]
	for _, path := range []string{"/s/two-cards/u1.png", "/s/two-cards/u1/click", "/s/two-cards/u1/pixel.gif", "/s/two-cards.png", m.ImageURL, m.ClickURL, m.PixelURL} {
		if a := s.get(path, header...); a.status >= 400 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
	}
	e := conversion("u1", "1")
	e["referrer"] = "https://shop.example/account/ada-secret"
	body := fmt.Sprintf(`{"experiment":"two-cards","event":"conversion","unit":"u1","referrer":%q}`, e["referrer"])
	fetchAs(t, http.MethodPost, s.url+"/s/events", body, append(header, "X-Write-Key", s.d.writeKey(s.e))...)
	s.counts()
	data := filepath.Dir(filepath.Dir(s.d.blobs.Temporary()))
	seen := 0
	if err := filepath.WalkDir(data, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(path, "images") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen += len(text)
		for _, word := range []string{"TellTale", "Haiku", "203.0.113.77", "127.0.0.1", "ada-secret"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s has %q", filepath.Base(path), word)
			}
		}
		return nil
	}); err != nil || seen < 10_000 {
		t.Errorf("saw %d bytes of the ledger, %v", seen, err)
	}
}
