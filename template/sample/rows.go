package sample

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A Row is a row with its place among others, as it was read, and what it gives.
type Row struct {
	At      int
	Key     string
	Columns map[string]any // as read
	Values  map[string]any // of the variables
	Skipped bool           // it is there, and no picture is made of it
	Err     error          // why it gives no values
}

// Rows are the rows of one place, in their order.
type Rows interface {
	// Total is how many there are.
	Total(ctx context.Context) (int, error)
	// PlaceOf is the place of the row of a key. None is a problem NotFound.
	PlaceOf(ctx context.Context, key string) (int, error)
	// Each hands out rows from a place on, until row wants no more.
	Each(ctx context.Context, at int, row func(Row) (more bool)) error
}

// List are rows that are held.
type List []Row

// NewList are rows whose columns are the variables of the same names.
func NewList(rows []map[string]any) List {
	list := make(List, len(rows))
	for i, row := range rows {
		list[i] = Row{At: i, Columns: row, Values: row}
	}
	return list
}

// Total is how many there are.
func (l List) Total(context.Context) (int, error) { return len(l), nil }

// PlaceOf finds no row: those of a list have no keys.
func (l List) PlaceOf(_ context.Context, key string) (int, error) {
	return 0, problem.New(problem.NotFound, "there is no row %q: these rows have no keys", key).WithSlug("row_not_found").At("key").
		WithHint("name a row by its place, as in at=3")
}

// Each hands out rows from a place on.
func (l List) Each(ctx context.Context, at int, row func(Row) bool) error {
	for _, r := range l[min(max(at, 0), len(l)):] {
		if ctx.Err() != nil || !row(r) {
			return ctx.Err()
		}
	}
	return nil
}

// The limits of a look through rows.
const (
	MaxLooked = 100_000
	lookTime  = 10 * time.Second
)

// Looked is how far a look through rows went.
type Looked struct {
	Rows int  `json:"rows"`
	All  bool `json:"all"`
}

// Look adds rows to e, from the first on: so many as MaxLooked, and as can be read
// in ten seconds. Rows that give nothing are left out of e.
func Look(ctx context.Context, rows Rows, e *Extremes) (looked Looked, err error) {
	within, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	looked.All = true
	err = rows.Each(within, 0, func(r Row) bool {
		if looked.Rows == MaxLooked {
			looked.All = false
			return false
		}
		looked.Rows++
		if !r.Skipped && r.Err == nil {
			e.Add(r)
		}
		return true
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		looked.All, err = false, nil
	}
	return looked, err
}

// One is the row at a place, or the last one where there are not so many. ok is
// false where there is none at all.
func One(ctx context.Context, rows Rows, total, at int) (row Row, ok bool, err error) {
	if total == 0 {
		return row, false, nil
	}
	err = rows.Each(ctx, min(at, total-1), func(r Row) bool {
		row, ok = r, true
		return false
	})
	return row, ok, err
}

// NoPick is the slug of a pick that is none.
const NoPick = "unknown_pick"

var picks = "first, last, random, emptiest, longest:VARIABLE, shortest:VARIABLE or empty:VARIABLE"

// Pick is a row that is picked by a word: first, last, random, emptiest, longest:VAR,
// shortest:VAR or empty:VAR. ok is false where no row is such; looked is nil where
// no row had to be looked at. The same seed picks the same of the same rows.
func Pick(ctx context.Context, rows Rows, vars []template.Var, total int, word string, seed uint64) (row Row, ok bool, looked *Looked, err error) {
	what, name, _ := strings.Cut(word, ":")
	switch what {
	case "first", "last", "random", "emptiest":
		if name != "" {
			what = ""
		}
	case "longest", "shortest", "empty":
		if err := declared(vars, name); err != nil {
			return row, false, nil, err
		}
	default:
		what = ""
	}
	at := 0
	switch what {
	case "":
		return row, false, nil, problem.New(problem.Invalid, "%q picks no row", word).WithSlug(NoPick).At("pick").WithHint("a pick is %s", picks)
	case "last":
		at = max(total-1, 0)
	case "random":
		if total > 0 {
			at = rand.New(rand.NewPCG(seed, 0)).IntN(total) // #nosec G404 -- which row is shown is no secret
		}
	case "first":
	default:
		return pickLooked(ctx, rows, vars, what, name)
	}
	row, ok, err = One(ctx, rows, total, at)
	return row, ok, nil, err
}

func pickLooked(ctx context.Context, rows Rows, vars []template.Var, what, name string) (row Row, ok bool, _ *Looked, err error) {
	e := NewExtremes(vars)
	looked, err := Look(ctx, rows, e)
	if err != nil {
		return row, false, nil, err
	}
	switch what {
	case "longest":
		row, ok = e.Longest(name)
	case "shortest":
		row, ok = e.Shortest(name)
	case "empty":
		row, ok = e.Empty(name)
	case "emptiest":
		row, ok = e.Emptiest()
	}
	return row, ok, &looked, nil
}

func declared(vars []template.Var, name string) error {
	var names []string
	for _, v := range vars {
		if v.Name == name {
			return nil
		}
		names = append(names, v.Name)
	}
	p := problem.New(problem.Invalid, "the template has no variable %q", name).WithSlug(template.UnknownVariable).At("pick")
	if near := expr.Nearest(name, names); near != "" {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("its variables are %s", strings.Join(names, ", "))
}
