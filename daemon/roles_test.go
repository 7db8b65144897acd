package daemon

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A fleet is processes with roles on one ledger and one folder of images.
type fleet struct {
	t     *testing.T
	site  *site
	db    *sql.DB
	at    map[string]*process // by a name of its place
	roles map[string]string
}

const fleetRows = 12 // fewer than the guard looks at

// newFleet is one of a process that connects, one that stands by, two that draw, two
// that deliver, and one that answers.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	dsn := newDatabase(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := newSite(t, "store: {}\n")
	s.write("rows.csv", csvRows(fleetRows, "0"))
	s.write("pictifyd.yaml", chromeFor(catalogWithHook)+`
server: { listen: "127.0.0.1:0", public_url: "http://127.0.0.1" }
egress: { allow: ["127.0.0.1"] }
templates: templates
`+fmt.Sprintf("store: { url: %q, seal_key: a-key-that-seals-what-callers-give }\n", dsn)+strings.ReplaceAll(catalogWithHook, "RECEIVER", s.receiver.server.URL))
	f := &fleet{t: t, site: s, db: db, at: map[string]*process{}, roles: map[string]string{
		"one": "connect", "two": "connect", "pencil": "render", "brush": "render", "postman": "deliver", "courier": "deliver", "door": "api",
	}}
	for _, name := range []string{"one", "two", "pencil", "brush", "postman", "courier", "door"} {
		f.start(name)
	}
	<-f.at["one"].runs
	for name := range f.roles {
		if name != "two" {
			f.mustBeReady(name)
		}
	}
	return f
}

func (f *fleet) start(name string) {
	f.t.Helper()
	f.at[name] = f.site.start(childRoles+"="+f.roles[name], childHaste+"=1")
}

func (f *fleet) mustBeReady(name string) {
	f.t.Helper()
	eventually(f.t, name+" is ready", func() bool { return f.at[name].status("/readyz") == http.StatusOK })
}

// signal has a place's process end or stop.
func (f *fleet) signal(name string, how syscall.Signal) *process {
	f.t.Helper()
	p := f.at[name]
	if err := p.cmd.Process.Signal(how); err != nil {
		f.t.Fatal(err)
	}
	if how == syscall.SIGKILL || how == syscall.SIGTERM {
		<-p.done
	}
	return p
}

// again starts in a place what has ended there by itself, as a supervisor does it.
func (f *fleet) again() {
	f.t.Helper()
	for name, p := range f.at {
		select {
		case <-p.done:
			f.start(name)
		default:
		}
	}
}

// working is the process that holds the ledger, nil for none.
func (f *fleet) working() *process {
	for _, name := range []string{"one", "two"} {
		if p := f.at[name]; p.status("/readyz") == http.StatusOK {
			return p
		}
	}
	return nil
}

func (f *fleet) count(query string) (n int) {
	f.t.Helper()
	if err := f.db.QueryRow(query).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// done is how many rows of a job have ended.
func (f *fleet) done(job string) (n int) {
	f.t.Helper()
	if err := f.db.QueryRow(`SELECT succeeded + failed FROM jobs WHERE id = $1`, job).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// mustEndWell checks what everybody was promised: each row of the job once, each card in
// its last state, told as that, everything accounted for, and nothing in anybody's hands.
func (f *fleet) mustEndWell(job string, rows int, word string) {
	f.t.Helper()
	door := f.at["door"]
	eventually(f.t, "the job has ended", func() bool { f.again(); return f.done(job) == rows })
	eventually(f.t, "somebody holds the ledger", func() bool { f.again(); return f.working() != nil })
	door.mustComplete(job, rows)
	eventually(f.t, "each card shows "+word, func() bool {
		f.again()
		return f.count(`SELECT count(*) FROM images WHERE owner LIKE '%cards' AND state <> 'ready'`) == 0 && f.told() == fleetRows
	})
	for i := range fleetRows {
		if status := door.get(fmt.Sprintf("/b/cards/SKU-%03d.png", i), nil); status != http.StatusOK {
			f.t.Errorf("card %d answers %d", i, status)
		}
	}
	f.site.receiver.mustHaveOneID(f.t, "batch.completed")
	holder := f.working()
	for _, sink := range []string{"hook", "batch"} {
		eventually(f.t, "nothing is owed to "+sink, func() bool { return holder.owes(sink) == 0 })
	}
	eventually(f.t, "nobody has anything in hand", func() bool {
		return f.count(`SELECT (SELECT count(*) FROM renders WHERE state = 'claimed') + (SELECT count(*) FROM deliveries WHERE state = 'claimed')
			+ (SELECT count(*) FROM river_job WHERE state = 'running')`) == 0
	})
	if n := f.count(`SELECT count(*) FROM images WHERE state = 'waiting'`); n > 0 {
		f.t.Errorf("%d images wait still", n)
	}
}

// told is how many cards were told of in their newest generation.
func (f *fleet) told() (n int) {
	f.t.Helper()
	last := f.site.receiver.lastGenerations(f.t)
	rows, err := f.db.Query(`SELECT key, generation FROM items WHERE owner LIKE '%cards'`)
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var generation int64
		if err := rows.Scan(&key, &generation); err != nil {
			f.t.Fatal(err)
		}
		if last[key] == generation {
			n++
		}
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return n
}

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

// Faults by seeds. One seed with two faults is the short form; scripts/chaos.sh asks for
// many of both.
func TestRolesUnderSeededFaults(t *testing.T) {
	t.Parallel()
	seeds, rounds := chaosEnv(t, "PICTIFYD_CHAOS_SEEDS", 1), chaosEnv(t, "PICTIFYD_CHAOS_ROUNDS", 2)
	for seed := range uint64(seeds) {
		t.Run(strconv.FormatUint(seed+1, 10), func(t *testing.T) {
			f := newFleet(t)
			rng := rand.New(rand.NewPCG(seed+1, 12))
			const rows = 3000
			id := f.at["door"].mustPost(batchRows(rows), f.site.receiver.server.URL)
			word := ""
			for round := range rounds {
				word = strconv.Itoa(round + 1)
				f.site.write("rows.csv", csvRows(fleetRows, word))
				f.fault(rng)
				f.again()
			}
			f.mustEndWell(id, rows, word)
		})
	}
}

// chaosEnv is the number that a variable has, or short without one.
func chaosEnv(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number of faults or seeds", name, text)
	}
	return n
}

// fault does something to one process, by chance.
func (f *fleet) fault(rng *rand.Rand) {
	f.t.Helper()
	names := []string{"one", "two", "pencil", "brush", "postman", "courier"}
	name := names[rng.IntN(len(names))]
	how, at := rng.IntN(4), time.Now()
	if f.roles[name] == "deliver" { // what it has begun to send nobody takes back: its receivers may hear it late
		how %= 2
	}
	switch how {
	case 0:
		f.signal(name, syscall.SIGKILL)
		f.t.Logf("killed %s", name)
	case 1:
		f.signal(name, syscall.SIGTERM)
		f.t.Logf("ended %s in %s", name, time.Since(at).Round(time.Millisecond))
	default: // for shorter and longer than anybody is waited for
		span := time.Duration(rng.IntN(12_000)) * time.Millisecond
		p := f.signal(name, syscall.SIGSTOP)
		pause(f.t, span)
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			f.t.Fatal(err)
		}
		f.t.Logf("froze %s for %s", name, span)
	}
	pause(f.t, time.Duration(rng.IntN(3000))*time.Millisecond)
}

// pause is a part of the fault itself: for how long it lasts.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-over.C:
	case <-t.Context().Done():
	}
}
