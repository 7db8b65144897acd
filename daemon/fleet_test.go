package daemon

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A fleet is processes with roles on one ledger and one place of images.
type fleet struct {
	t     *testing.T
	site  *site
	db    *sql.DB
	at    map[string]*process // by a name of its place
	roles map[string]string
	env   func(place string) []string // what a place's process has beside its roles; nil: nothing
	sent  map[*process]bool           // that were told to end, or killed
}

const fleetRows = 12 // fewer than the guard looks at

// places are those of a fleet: one process that connects, one that stands by, two that
// draw, two that deliver, and one that answers.
var places = []string{"one", "two", "pencil", "brush", "postman", "courier", "door"}

// newFleet is a fleet on a database of the tests' server.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	dsn := newDatabase(t)
	f := layFleet(t, dsn, fmt.Sprintf("store: { url: %q, seal_key: a-key-that-seals-what-callers-give }\n", dsn)+catalogWithHook)
	f.begin()
	return f
}

// layFleet is a fleet that is not started yet. dsn is the test's own way to the ledger.
func layFleet(t *testing.T, dsn, yaml string) *fleet {
	t.Helper()
	db := openDatabase(t, dsn)
	db.SetMaxIdleConns(0) // a server may have been started again since
	s := newSite(t, "store: {}\n")
	s.write("rows.csv", csvRows(fleetRows, "0"))
	s.write("pictifyd.yaml", chromeFor(yaml)+`
server: { listen: "127.0.0.1:0", public_url: "http://127.0.0.1" }
egress: { allow: ["127.0.0.1"] }
templates: templates
`+strings.ReplaceAll(yaml, "RECEIVER", s.receiver.server.URL))
	return &fleet{t: t, site: s, db: db, at: map[string]*process{}, sent: map[*process]bool{}, roles: map[string]string{
		"one": "connect", "two": "connect", "pencil": "render", "brush": "render", "postman": "deliver", "courier": "deliver", "door": "api",
	}}
}

// begin starts all, and returns when all are at work but the one that stands by.
func (f *fleet) begin() {
	f.t.Helper()
	for _, name := range places {
		f.start(name)
	}
	<-f.at["one"].runs
	for _, name := range places {
		if name != "two" {
			f.mustBeReady(name)
		}
	}
}

func (f *fleet) start(name string) {
	f.t.Helper()
	env := []string{childRoles + "=" + f.roles[name], childHaste + "=1"}
	if f.env != nil {
		env = append(env, f.env(name)...)
	}
	f.at[name] = f.site.start(env...)
}

func (f *fleet) mustBeReady(name string) {
	f.t.Helper()
	eventually(f.t, name+" is ready", func() bool { return f.at[name].status("/readyz") == http.StatusOK })
}

// signal has a place's process end or stop.
func (f *fleet) signal(name string, how syscall.Signal) *process {
	f.t.Helper()
	p := f.at[name]
	if err := p.cmd.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		f.t.Fatal(err)
	}
	if how == syscall.SIGKILL || how == syscall.SIGTERM {
		f.sent[p] = true
		<-p.done
	}
	return p
}

// again starts in a place what has ended there, as a supervisor does it. Whoever ends by
// itself does so because its place at the ledger was lost, and for nothing else.
func (f *fleet) again() {
	f.t.Helper()
	for name, p := range f.at {
		select {
		case <-p.done:
			if !f.sent[p] {
				f.t.Logf("%s has ended", name)
				p.mustEndLost()
			}
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

// mustSettle waits until the job has ended, and all are at work.
func (f *fleet) mustSettle(job string, rows int) {
	f.t.Helper()
	eventually(f.t, "the job has ended", func() bool { f.again(); return f.done(job) == rows })
	eventually(f.t, "all are at work but the one that stands by", func() bool {
		f.again()
		ready := 0
		for _, p := range f.at {
			if p.status("/readyz") == http.StatusOK {
				ready++
			}
		}
		return ready == len(f.at)-1 && f.working() != nil
	})
}

// mustEndWell checks what everybody was promised: each row of the job once, each card in
// its last state, told as that, everything accounted for, and nothing in anybody's hands.
func (f *fleet) mustEndWell(job string, rows int, word string) {
	f.t.Helper()
	f.mustSettle(job, rows)
	door := f.at["door"]
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
