package store_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// manyRowsEnv is how many images BenchmarkManyImages puts into a ledger; 200,000 without.
const manyRowsEnv = "PICTIFYD_BENCH_ROWS"

// rowsOfMany are those of each of its jobs.
const rowsOfMany = 1000

// BenchmarkManyImages is what a ledger in PostgreSQL weighs, and what is asked of it takes, with
// few images and with many: jobs of 1,000 rows, one as the other, their fingerprints spread as
// real ones are. Medians are printed side by side: what is longer by as much as the table grows there.
func BenchmarkManyImages(b *testing.B) {
	dsn := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if dsn == "" {
		b.Skip("PICTIFYD_TEST_POSTGRES is not set: make bench sets it")
	}
	many := 200_000
	if text := os.Getenv(manyRowsEnv); text != "" {
		var err error
		if many, err = strconv.Atoi(text); err != nil {
			b.Fatalf("%s: %v", manyRowsEnv, err)
		}
	}
	for b.Loop() {
		m := newManyImages(b, dsn)
		m.fill(10)
		few := m.asked()
		began := time.Now()
		m.fill(max(many/rowsOfMany, 11))
		fmt.Printf("\n%d images beside 10,000 (%s to make them)\n", m.jobs*rowsOfMany, time.Since(began).Round(time.Second))
		for _, q := range m.questions() {
			fmt.Printf("%-34s %10s %10s\n", q.name, few[q.name].Round(10*time.Microsecond), m.took(q).Round(10*time.Microsecond))
		}
		m.sizes()
	}
	b.ReportMetric(0, "ns/op")
}

type manyImages struct {
	b    *testing.B
	s    *store.Store
	db   *sql.DB
	hash string   // of bytes that are shown
	jobs int      // that there are, the first included
	made int      // jobs that questions made
	open []string // those of them that have not expired
}

func newManyImages(b *testing.B, dsn string) *manyImages {
	b.Helper()
	url := newDatabase(b, dsn, "").url
	m := &manyImages{b: b, s: open(b, url), jobs: 1}
	b.Cleanup(func() {
		if err := m.s.Close(); err != nil {
			b.Error(err)
		}
	})
	drawnJob(b, m.s, "seed", rowsOfMany)
	var err error
	if m.db, err = sql.Open("pgx", url); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.db.Close() })
	if err := m.db.QueryRow(`SELECT hash FROM images LIMIT 1`).Scan(&m.hash); err != nil {
		b.Fatal(err)
	}
	return m
}

// fill copies the first job until there are so many.
func (m *manyImages) fill(jobs int) {
	m.b.Helper()
	for m.jobs < jobs {
		to := min(jobs, m.jobs+200)
		for _, table := range []string{"jobs", "job_rows", "items", "images", "renders"} {
			if _, err := m.db.Exec(m.copies(table), m.jobs, to-1); err != nil {
				m.b.Fatalf("%s: %v", table, err)
			}
		}
		m.jobs = to
	}
	if _, err := m.db.Exec(`VACUUM ANALYZE`); err != nil {
		m.b.Fatal(err)
	}
}

// copies is the statement that copies the rows of the first job in a table as those of the nth, from $1 to $2.
func (m *manyImages) copies(table string) string {
	m.b.Helper()
	rows, err := m.db.Query(`SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1`, table)
	if err != nil {
		m.b.Fatal(err)
	}
	defer rows.Close()
	var names, values []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			m.b.Fatal(err)
		}
		value := "t." + name
		switch name {
		case "owner", "id", "job":
			value += " || '-' || n"
		case "fingerprint", "hash":
			value = fmt.Sprintf("md5(n || t.%[1]s) || md5(t.%[1]s || n)", name)
		case "created_at", "completed_at", "rendered_at", "ended_at":
			value += " - n * 1000::bigint"
		}
		names, values = append(names, name), append(values, value)
	}
	if err := rows.Err(); err != nil {
		m.b.Fatal(err)
	}
	own := map[string]string{"jobs": "t.id = 'seed'", "job_rows": "t.job = 'seed'"}[table]
	return fmt.Sprintf("INSERT INTO %[1]s (%[2]s) SELECT %[3]s FROM %[1]s AS t, generate_series($1::int, $2::int) AS n WHERE %[4]s", table,
		strings.Join(names, ", "), strings.Join(values, ", "), cmp.Or(own, "t.owner = 'job/seed'"))
}

// A question is something that is asked of the ledger, the nth time.
type question struct {
	name string
	ask  func(n int) error
}

func (m *manyImages) questions() []question {
	ctx := m.b.Context()
	job := func(n int) string { return fmt.Sprint("seed-", 1+n*7919%(m.jobs-1)) }
	return []question{
		{"an image of a row", func(n int) error {
			_, err := m.s.Image(ctx, bindings.JobOwner(job(n)), fmt.Sprint(n%rowsOfMany), "card", "png")
			return err
		}},
		{"100 results of a batch", func(n int) error {
			page, err := m.s.Results(ctx, job(n), 500, 100, "")
			if err == nil && len(page) != 100 {
				err = fmt.Errorf("%d results", len(page))
			}
			return err
		}},
		{"50 of the gallery", func(int) error {
			page, _, err := m.s.Gallery(ctx, bindings.ImageFilter{}, 50)
			if err == nil && len(page) != 50 {
				err = fmt.Errorf("%d images", len(page))
			}
			return err
		}},
		{"the newest 50 images", func(int) error { _, err := m.s.Images(ctx, 50); return err }},
		{"the newest 50 batches", func(int) error { _, err := m.s.Jobs(ctx, 50); return err }},
		{"who shows the bytes", func(int) error {
			_, err := m.s.ImagesOf(ctx, m.hash, 10)
			return err
		}},
		{"waiting renders by priority", func(int) error { _, err := m.s.WaitingByPriority(ctx); return err }},
		{"100 rows taken, drawn, recorded", func(n int) error {
			m.made++
			id := fmt.Sprint("more-", m.made)
			m.open = append(m.open, id)
			drawnJob(m.b, m.s, id, 100)
			return nil
		}},
		{"a batch of 100 expires", func(int) error {
			id := m.open[len(m.open)-1]
			m.open = m.open[:len(m.open)-1]
			if _, err := m.db.Exec(`UPDATE jobs SET completed_at = 1 WHERE id = $1`, id); err != nil {
				return err
			}
			_, err := m.s.ExpireJobs(ctx, time.UnixMilli(2))
			if err == nil {
				_, err = m.s.EmptyJobs(ctx)
			}
			return err
		}},
	}
}

// asked is how long each question takes.
func (m *manyImages) asked() map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, q := range m.questions() {
		all[q.name] = m.took(q)
	}
	return all
}

// took is the median of what a question takes.
func (m *manyImages) took(q question) time.Duration {
	m.b.Helper()
	times := make([]time.Duration, 21)
	for n := range times {
		began := time.Now()
		if err := q.ask(n); err != nil {
			m.b.Fatalf("%s: %v", q.name, err)
		}
		times[n] = time.Since(began)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// sizes prints what tables weigh with their indexes, by image.
func (m *manyImages) sizes() {
	m.b.Helper()
	rows, err := m.db.Query(`SELECT relname, pg_relation_size(oid), pg_indexes_size(oid) FROM pg_class
		WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_total_relation_size(oid) > 1000000 ORDER BY 2 + 3 DESC`)
	if err != nil {
		m.b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var table, indexes int64
		if err := rows.Scan(&name, &table, &indexes); err != nil {
			m.b.Fatal(err)
		}
		n := int64(m.jobs * rowsOfMany)
		fmt.Printf("%-34s %7d MB, indexes %5d MB: %d bytes an image\n", name, table/1e6, indexes/1e6, (table+indexes)/n)
	}
	if err := rows.Err(); err != nil {
		m.b.Fatal(err)
	}
}
