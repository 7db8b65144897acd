package batch

import (
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// MaxColumns is how many columns a CSV of results has at most.
const MaxColumns = 4096

// Columns are the caller's own columns of a job.
type Columns struct {
	names []string
	place map[string]int
}

// ReadColumns are the names of the fields of rows, in the order in which they
// first appear. More than MaxColumns are a problem of code TooLarge.
func ReadColumns(rows iter.Seq2[Row, error]) (*Columns, error) {
	c := &Columns{place: map[string]int{}}
	for row, err := range rows {
		if err != nil {
			return nil, fmt.Errorf("read the rows as they were sent: %w", err)
		}
		for name := range fieldsOf(row.Values) {
			if _, known := c.place[string(name)]; known {
				continue
			}
			if len(c.names) == MaxColumns {
				return nil, problem.New(problem.TooLarge, "the rows have more than %d different fields, and a CSV at most as many columns", MaxColumns).
					WithSlug("too_many_columns").WithHint("take results.ndjson")
			}
			c.place[string(name)] = len(c.names)
			c.names = append(c.names, string(name))
		}
	}
	return c, nil
}

// without is c without the columns of some names.
func (c *Columns) without(names ...string) *Columns {
	left := &Columns{place: map[string]int{}}
	for _, name := range c.names {
		if !slices.Contains(names, name) {
			left.place[name] = len(left.names)
			left.names = append(left.names, name)
		}
	}
	return left
}

// header is the first record, as far as it is the caller's.
func (c *Columns) header(guard bool) []string {
	cells := slices.Clone(c.names)
	for i := range cells {
		if guard {
			cells[i] = Harmless(cells[i])
		}
	}
	return cells
}

// fill writes the values of a row into the first cells. Of a field that stands
// twice the last one counts, as in the picture.
func (c *Columns) fill(cells []string, values []byte, guard bool) {
	for name, value := range fieldsOf(values) {
		i, known := c.place[string(name)]
		if !known {
			continue
		}
		cells[i] = cellOf(value)
		if guard && value[0] == '"' {
			cells[i] = Harmless(cells[i])
		}
	}
}

// distinct are names for columns behind those of the caller: a name that is
// taken gets _2, or the next number that is free.
func (c *Columns) distinct(names ...string) []string {
	taken := map[string]bool{}
	for _, name := range c.names {
		taken[name] = true
	}
	free := make([]string, len(names))
	for i, name := range names {
		free[i] = name
		for n := 2; taken[free[i]]; n++ {
			free[i] = name + "_" + strconv.Itoa(n)
		}
		taken[free[i]] = true
	}
	return free
}
