package daemon

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A followed is a table or a topic that a daemon in a process of its own streams into
// the binding "cards", which tells the site's receiver. The test knows its rows.
type followed struct {
	*site
	p    *process
	tell func(key, name string) // the row is so from now on; without a name it goes
	rows map[string]string
}

// change tells of a row, and remembers it.
func (f *followed) change(key, name string) {
	f.tb.Helper()
	f.tell(key, name)
	if f.rows[key] = name; name == "" {
		delete(f.rows, key)
	}
}

// The addresses stay as they are, whatever port the daemon gets.
func (f *followed) settle() {
	f.tb.Helper()
	yaml := strings.NewReplacer(`listen: "127.0.0.1:0"`, `listen: "127.0.0.1:0", public_url: "https://cards.example"`, "public: true,", "public: true, sinks: [hook],").Replace(f.read("pictifyd.yaml"))
	f.write("pictifyd.yaml", yaml+fmt.Sprintf("\nsinks: { hook: { kind: webhook, url: %q } }\n", f.receiver.server.URL))
}

// followTable is a table of n rows. more is added to the source.
func followTable(t testing.TB, n int, more string) (*followed, *replicated) {
	t.Helper()
	r := newReplicated(t, n, more, ", guard: { max_changed: 100%, max_deleted: 100% }")
	f := &followed{site: r.site, rows: map[string]string{}}
	for i := range n {
		f.rows[tableKey(i)] = fmt.Sprint("Mug ", i+1)
	}
	f.tell = func(key, name string) {
		if name == "" {
			r.run(fmt.Sprintf(`DELETE FROM products WHERE sku = '%s'`, key))
			return
		}
		r.run(fmt.Sprintf(`INSERT INTO products (sku, name) VALUES ('%s', '%s') ON CONFLICT (sku) DO UPDATE SET name = excluded.name`, key, name))
	}
	f.settle()
	return f, r
}

func tableKey(i int) string { return fmt.Sprintf("K%07d", i+1) }

// followTopic is a topic of two partitions, of n rows.
func followTopic(t testing.TB, n int) (*followed, *topic) {
	t.Helper()
	topic := newTopic(t, 2)
	f := &followed{site: topic.site("").site, rows: map[string]string{}}
	f.write("pictifyd.yaml", strings.Replace(f.read("pictifyd.yaml"), "delete_grace: 0s", "delete_grace: 0s, guard: { max_changed: 100%, max_deleted: 100% }", 1))
	f.tell = func(key, name string) {
		value := ""
		if name != "" {
			value = fmt.Sprintf(`{"name":%q}`, name)
		}
		topic.put(int(key[len(key)-1])%2, key, value)
	}
	for i := range n {
		f.change(tableKey(i), fmt.Sprint("Mug ", i+1))
	}
	f.settle()
	return f, topic
}

// begin starts a daemon, or one that kills itself at point:n.
func (f *followed) begin(crash string, env ...string) {
	f.tb.Helper()
	env = append(env, childHaste+"=1", childDrawn+"="+filepath.Join(f.dir, "drawn"))
	if crash != "" {
		env = append(env, childCrash+"="+crash)
	}
	if f.p = f.site.start(env...); f.p.url == "" && crash == "" {
		f.tb.Fatalf("the daemon does not start: %v\n%s", f.p.err, f.p.log)
	}
}

// drawn is the hashes of all pictures that were drawn so far, in order.
func (f *followed) drawn() []string {
	f.tb.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, "drawn"))
	if err != nil && !os.IsNotExist(err) {
		f.tb.Fatal(err)
	}
	return strings.Fields(string(text))
}

// recorded is the hashes of pictures that the ledger of a dead daemon has.
func (f *followed) recorded() map[string]bool {
	f.tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(f.dir, "data", "pictifyd.db")+"?mode=ro")
	if err != nil {
		f.tb.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT hash FROM renders WHERE state = 'done'")
	if err != nil {
		f.tb.Fatal(err)
	}
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var hash string
		if err := rows.Scan(&hash); err != nil {
			f.tb.Fatal(err)
		}
		found[hash] = true
	}
	if err := rows.Err(); err != nil {
		f.tb.Fatal(err)
	}
	return found
}

// draw is the picture of a card of that name, as the daemon draws it.
func (f *followed) draw(name string) string { return f.p.draw(name) }

func (p *process) draw(name string) string {
	code, text := p.ask(http.MethodPost, "/templates/card/render", fmt.Sprintf(`{"response":"binary","variables":{"title":%q}}`, name))
	if code != http.StatusOK {
		return ""
	}
	return text
}

// agrees waits until the daemon has the rows by name and number, with their pictures,
// and the receiver was told of each as it is at last.
func (f *followed) agrees() {
	f.tb.Helper()
	eventually(f.tb, fmt.Sprintf("%d rows have their pictures", len(f.rows)), func() bool { return f.p.ready("cards") == len(f.rows) })
	for key, name := range f.rows {
		want := f.draw(name)
		eventually(f.tb, fmt.Sprintf("%s shows %q", key, name), func() bool { return want != "" && f.p.picture("/b/cards/"+key+".png") == want })
	}
	if n := f.p.ready("cards"); n != len(f.rows) {
		f.tb.Errorf("%d rows have pictures, want %d", n, len(f.rows))
	}
	eventually(f.tb, "the receiver has been told all", func() bool { return f.p.owes("hook") == 0 })
	told := f.receiver.told(f.tb)
	for key, name := range f.rows {
		u, err := url.Parse(told[key])
		if err != nil || told[key] == "" {
			f.tb.Errorf("of %s the receiver knows %q", key, told[key])
			continue
		}
		if f.p.picture(u.Path) != f.draw(name) {
			f.tb.Errorf("of %s the receiver knows a picture that does not show %q", key, name)
		}
		delete(told, key)
	}
	for key, address := range told {
		if address != "" {
			f.tb.Errorf("of %s, which is gone, the receiver knows %s", key, address)
		}
	}
}

// told is the last that the receiver was told of each key: an address, or "" for a row
// that is gone.
func (r *receiver) told(tb testing.TB) map[string]string {
	tb.Helper()
	last := map[string]string{}
	for _, h := range r.all("") {
		var d struct{ Key, URL string }
		if err := json.Unmarshal(h.Data, &d); err != nil {
			tb.Fatal(err)
		}
		if last[d.Key] = d.URL; h.Event != "render.completed" {
			last[d.Key] = ""
		}
	}
	return last
}

// changeUntilDead changes one row after the other until the daemon has killed itself.
func (f *followed) changeUntilDead(point string) {
	f.tb.Helper()
	keys := make([]string, 0, len(f.rows))
	for key := range f.rows {
		keys = append(keys, key)
	}
	for i, began := 0, time.Now(); ; i++ {
		select {
		case <-f.p.done:
			f.p.mustDie(point)
			return
		default:
		}
		if time.Since(began) > time.Minute {
			f.tb.Fatalf("it never came to %s\n%s", point, f.p.log)
		}
		f.change(keys[i%len(keys)], fmt.Sprint("Cup ", i))
	}
}
