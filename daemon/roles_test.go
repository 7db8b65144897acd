package daemon

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Whoever dies, freezes or comes while a batch is drawn and told: each row is there once.
func TestRolesShareTheWorkWhileTheyDie(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	door := f.at["door"]
	const rows = 2000
	id := door.mustPost(batchRows(rows), f.site.receiver.server.URL)
	eventually(t, "some rows are drawn", func() bool { return f.done(id) > 100 })

	f.signal("pencil", syscall.SIGKILL)
	f.start("pencil")
	frozen := f.signal("brush", syscall.SIGSTOP)
	f.start("brush") // beside the frozen one
	f.site.write("rows.csv", csvRows(fleetRows, "1"))
	eventually(t, "more rows are drawn", func() bool { return f.done(id) > 400 })

	f.signal("one", syscall.SIGKILL)
	killed := time.Now()
	<-f.at["two"].runs
	f.mustBeReady("two")
	t.Logf("the one that stood by works %s after the kill", time.Since(killed).Round(time.Millisecond))
	f.signal("postman", syscall.SIGKILL)
	f.start("postman")
	if code := f.signal("courier", syscall.SIGTERM).cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("a process that delivers ended with %d at SIGTERM", code)
	}
	eventually(t, "the frozen one's place is taken from it", func() bool {
		return f.count(`SELECT count(*) FROM members`) == 5 // two, pencil, brush, postman, door
	})
	if err := frozen.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	frozen.mustEndLost()
	if code := f.signal("pencil", syscall.SIGTERM).cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("a process that draws ended with %d at SIGTERM", code)
	}
	f.start("one")
	f.mustEndWell(id, rows, "1")
	eventually(t, "all are at work but the one that stands by", func() bool {
		return f.count(`SELECT count(*) FROM members`) == len(f.roles)-1
	})
}

// What the holder is given reaches those beside it: the next picture, the next delivery.
func TestMembersLearnWhatTheHolderIsGiven(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	door := f.at["door"]
	eventually(t, "the cards are told of", func() bool { return f.told() == fleetRows })

	// Over a door that only hands on: a subscription, then a version of the template.
	status, body := door.ask(http.MethodPost, "/webhook-subscriptions", fmt.Sprintf(`{"targetUrl": %q, "events": ["batch.completed"]}`, f.site.receiver.server.URL+"/subscribed"),
		"Content-Type", "application/json")
	if status != http.StatusCreated {
		t.Fatalf("the subscription: %d %s", status, body)
	}
	before := len(f.site.receiver.all(""))
	id := door.mustPost(batchRows(5), "")
	eventually(t, "the subscription is told", func() bool { return len(f.site.receiver.all("")) > before })
	first := door.job(id)

	f.site.write("templates/card.html", strings.Replace(cardTemplate, "background: #fff", "background: #eee", 1))
	eventually(t, "the cards are drawn anew", func() bool {
		return f.told() == fleetRows && f.count(`SELECT min(generation) FROM items WHERE owner LIKE '%cards'`) == 2
	})
	id = door.mustPost(batchRows(5), "")
	door.mustComplete(id, 5)
	if again := door.job(id); again.Results[0].URL == first.Results[0].URL {
		t.Errorf("the new version draws the picture of the one before, %s", again.Results[0].URL)
	}
	var is struct {
		Processes []struct {
			Roles   []string
			Holder  bool
			State   string
			HeardAt *time.Time
		}
		Findings []struct{ Check, Level string }
	}
	if status := door.get("/system", &is); status != http.StatusOK || len(is.Processes) != 6 || !is.Processes[0].Holder {
		t.Errorf("/system is %d %+v", status, is)
	}
	for _, one := range is.Processes {
		if one.State != "well" || one.HeardAt == nil {
			t.Errorf("a process is %+v", one)
		}
	}
	for _, found := range is.Findings {
		if found.Check == "processes" && found.Level != "ok" {
			t.Errorf("of the processes is found %+v", found)
		}
	}
	if status := f.at["pencil"].status("/bindings"); status != http.StatusServiceUnavailable {
		t.Errorf("one that only draws answers %d", status)
	}
}

// A member has the routes in its hands while a binding is made: until it has let go, and
// all know who hears of it, no row of the binding is planned.
func TestBindingIsPlannedOnceMembersKnowWhoHearsOfIt(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	s, shop := newSite(t, fmt.Sprintf("store: { url: %q, seal_key: a-key-that-seals-what-callers-give }", dsn)), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	told := func(binding string) (n int) {
		for _, e := range s.receiver.all("render.completed") {
			if strings.Contains(string(e.Data), strconv.Quote(binding)) {
				n++
			}
		}
		return n
	}
	eventually(t, "the first delivery", func() bool { return told("cards") == 1 })
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	value := func(query string) (n int64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock_shared(hashtext('pictifyd routes ' || current_schema()), 0)`); err != nil {
		t.Fatal(err)
	}
	made := make(chan int, 1)
	go func() {
		status, _ := p.ask("POST", "/bindings", `{"name":"second","source":"shop","template":"card","map":{"title":"name"},"sinks":["hook"]}`, "Content-Type", "application/json")
		made <- status
	}()
	eventually(t, "somebody waits for the routes", func() bool {
		return value(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`) > 0
	})
	s.write("templates/card.html", strings.Replace(cardTemplate, "background: #fff", "background: #eee", 1))
	eventually(t, "what there is of bindings is planned again", func() bool { return told("cards") == 2 })
	if n := value(`SELECT count(*) FROM items WHERE owner LIKE '%second'`); n != 0 {
		t.Errorf("%d rows of the new binding are planned", n)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_unlock_all()`); err != nil {
		t.Fatal(err)
	}
	if status := <-made; status != http.StatusCreated {
		t.Errorf("the binding: status %d", status)
	}
	eventually(t, "the delivery of the new binding", func() bool { return told("second") == 1 })
}
