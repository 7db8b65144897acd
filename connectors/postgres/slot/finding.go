package slot

import (
	"context"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Finding is one thing that the server was asked about.
type Finding struct {
	Level Level
	Slug  string // stable: "wal_level"
	What  string // for a person
	SQL   string // that mends it; "" where nothing has to be, or SQL can't
	Hint  string // what else is to be done, or instead
}

// A Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works; a person should look after it
	Error   Level = "error"   // it does not work, or would harm the user's own work
)

// Problem is the finding as an error that a person reads.
func (f Finding) Problem() *problem.Error {
	p := problem.New(problem.Surroundings, "%s", f.What).WithSlug(f.Slug)
	var next []string
	if f.SQL != "" {
		next = append(next, "run: "+f.SQL)
	}
	if f.Hint != "" {
		next = append(next, f.Hint)
	}
	p.Hint = strings.Join(next, "; ")
	return p
}

// Check looks whether the server can tell of the table's changes, and finds all
// that it can't for at once. Nothing is made or changed. The error is that the
// server can't be asked.
func (k *Keeper) Check(ctx context.Context) ([]Finding, error) {
	f, err := k.look(ctx)
	if err != nil {
		return nil, err
	}
	return k.findings(f), nil
}

// errorsOf are the findings that nothing can be done with.
func errorsOf(all []Finding) error {
	var list problem.List
	for _, f := range all {
		if f.Level == Error {
			list = append(list, f.Problem())
		}
	}
	return list.Err()
}

// findings are all, in the order in which a person would go on.
func (k *Keeper) findings(f *facts) []Finding {
	c := &check{keeper: k, facts: f}
	c.server()
	if f.server.version < oldest || f.server.standby {
		return c.all
	}
	c.user()
	c.table()
	if f.table != nil && c.publishable() {
		c.identities()
		c.publication()
	}
	c.slot()
	c.disk()
	return c.all
}

// A check gathers findings.
type check struct {
	keeper *Keeper
	facts  *facts
	all    []Finding
}

func (c *check) add(f Finding) { c.all = append(c.all, f) }

func (c *check) ok(slug, what string) { c.add(Finding{Level: OK, Slug: slug, What: what}) }
