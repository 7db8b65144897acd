package daemon

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"image"
	_ "image/jpeg" // the campaign's pictures
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// newStory is an example as a newcomer has it, in a folder of its own, and the
// pictifyd of this tree beside it.
func newStory(t *testing.T, name string) *site {
	t.Helper()
	needChrome(t)
	s := &site{tb: t, dir: t.TempDir(), receiver: newReceiver(t)}
	if err := os.CopyFS(s.dir, os.DirFS("../examples/"+name)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PORT", "0")
	s.write("pictifyd.yaml", s.read("pictifyd.yaml")+"\nrender: { chrome: "+os.Getenv("PICTIFYD_TEST_CHROME")+" }\n")
	return s
}

// mustBuild builds a program of this tree.
func mustBuild(t *testing.T, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(pkg))
	if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// send runs the story's command against a daemon.
func (s *site) send(url string) {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(s.tb.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(s.dir, "send.sh"))
	cmd.Env = append(os.Environ(), "PICTIFYD="+mustBuild(s.tb.(*testing.T), "../cmd/pictifyd"), "PICTIFYD_SERVER="+url)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.tb.Fatalf("send.sh: %v\n%s", err, out)
	}
}

// table reads a CSV of the story.
func (s *site) table(name string) [][]string {
	s.tb.Helper()
	rows, err := csv.NewReader(strings.NewReader(s.read(name))).ReadAll()
	if err != nil {
		s.tb.Fatalf("%s: %v", name, err)
	}
	return rows
}

// mustKeepColumns checks that a table has the columns of the file that was
// sent, its rows in their order, and returns it.
func (s *site) mustKeepColumns(sent string) (columns []string, rows [][]string) {
	s.tb.Helper()
	before, after := s.table(sent), s.table("out/results.csv")
	if len(before) != 51 || len(after) != len(before) {
		s.tb.Fatalf("%d rows were sent and %d came back, want 51", len(before), len(after))
	}
	for i := range before {
		if !slices.Equal(before[i], after[i][:len(before[i])]) {
			s.tb.Fatalf("line %d: sent %q, came back %q", i+1, before[i], after[i])
		}
	}
	return after[0], after[1:]
}

func column(t *testing.T, columns []string, name string) int {
	t.Helper()
	i := slices.Index(columns, name)
	if i < 0 {
		t.Fatalf("there is no column %q in %q", name, columns)
	}
	return i
}

func TestCampaignGivesTheMailerAPictureForEachCustomer(t *testing.T) {
	s := newStory(t, "campaign")
	url, _ := s.run(Options{})
	s.send(url)
	columns, rows := s.mustKeepColumns("customers.csv")
	at := column(t, columns, "url")
	seen := map[string]bool{}
	for _, row := range rows {
		if seen[row[at]] {
			t.Errorf("%s has the picture of somebody else", row[0])
		}
		seen[row[at]] = true
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "out", "*.jpg"))
	if err != nil || len(files) != len(rows) {
		t.Fatalf("%d pictures, %v: want %d", len(files), err, len(rows))
	}
	data := fetch(t, rows[0][at])
	size, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || kind != "jpeg" || size.Width != 1200 || size.Height != 600 {
		t.Errorf("%s is %s of %dx%d, %v", rows[0][at], kind, size.Width, size.Height, err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "out", "failed.csv")); err == nil {
		t.Errorf("rows failed: %s", s.read("out/failed.csv"))
	}
}

func TestCohortGetsPNGAndPDFOfEachFromOneRequest(t *testing.T) {
	s := newStory(t, "certificates")
	url, _ := s.run(Options{})
	s.send(url)
	columns, rows := s.mustKeepColumns("cohort.csv")
	for i, row := range rows {
		for name, magic := range map[string]string{"url": "\x89PNG", "pdf": "%PDF-"} {
			if i%10 != 0 {
				continue
			}
			address := row[column(t, columns, name)]
			if data := fetch(t, address); !bytes.HasPrefix(data, []byte(magic)) {
				t.Errorf("%s of %s is at %s and begins with %q", name, row[1], address, data[:8])
			}
		}
	}
	for _, pattern := range []string{"*.png", "*.pdf"} {
		if files, err := filepath.Glob(filepath.Join(s.dir, "out", pattern)); err != nil || len(files) != len(rows) {
			t.Errorf("%d files %s, %v: want %d", len(files), pattern, err, len(rows))
		}
	}
	var jobs struct{ Jobs []struct{ JobID string } }
	p := &process{tb: t, url: url}
	p.get("/jobs", &jobs)
	if len(jobs.Jobs) != 1 {
		t.Fatalf("%d jobs, want one request", len(jobs.Jobs))
	}
	if all := fetch(t, url+"/jobs/"+jobs.Jobs[0].JobID+"/results.pdf"); !bytes.HasPrefix(all, []byte("%PDF-")) {
		t.Error("results.pdf is no PDF")
	}
}

var listensAt = regexp.MustCompile(`http://127\.0\.0\.1:(\d+)/`)

// startProgram runs a server of an example on a free port, which its first line
// names. stop kills it; the end of the test does, too.
func startProgram(t *testing.T, pkg, portEnv string, args ...string) (port string, stop func()) {
	t.Helper()
	cmd := exec.Command(mustBuild(t, pkg), args...)
	cmd.Env = append(os.Environ(), portEnv+"=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	at := listensAt.FindStringSubmatch(line)
	if err != nil || at == nil {
		t.Fatalf("%s says %q, %v", pkg, line, err)
	}
	return at[1], stop
}

func TestCatalogGetsItsURLsAndOneAnewForOneChange(t *testing.T) {
	s := newStory(t, "catalog")
	port, _ := startProgram(t, "../examples/catalog/shop", "SHOP_PORT", filepath.Join(s.dir, "data"), filepath.Join(s.dir, "products.csv"))
	t.Setenv("SHOP_PORT", port)
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), "every: 5s", "every: 1s", 1))
	s.run(Options{})

	db, err := sql.Open("sqlite", filepath.Join(s.dir, "data", "shop.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	urls := func() map[string]string {
		all := map[string]string{}
		rows, err := db.QueryContext(t.Context(), `SELECT sku, image_url FROM products WHERE image_url IS NOT NULL`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var sku, url string
			if err := rows.Scan(&sku, &url); err != nil {
				t.Fatal(err)
			}
			all[sku] = url
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	eventually(t, "a card for each product", func() bool { return len(urls()) == 50 })
	before := urls()
	if size, kind, err := image.DecodeConfig(bytes.NewReader(fetch(t, before["CH-107"]))); err != nil || kind != "jpeg" || size.Width != 1200 || size.Height != 630 {
		t.Errorf("the card is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE products SET price = '99.00', stock = stock + 1 WHERE sku = 'CH-107'`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new card of the product that changed", func() bool { return urls()["CH-107"] != before["CH-107"] })
	for sku, url := range urls() {
		if sku != "CH-107" && url != before[sku] {
			t.Errorf("%s has another card, and has not changed", sku)
		}
	}
}
