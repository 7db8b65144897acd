package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// A pager gives the rows of a walk page by page, each page by a statement of its own, so
// that the timeout is one of a page.
type pager interface {
	// next puts the next rows into p; none are the end.
	next(ctx context.Context, p *page) error
}

// firstChanged are as many rows as the first page of changes has: so few that large rows
// are no harm, and so many that it is mostly the only one.
const firstChanged = 200

// A keyset goes through the rows from a watermark on, in the order of watermark and key.
// Each page is looked up behind the last row of the one before, which an index serves; the
// pages of one snapshot are of one moment all the same.
type keyset struct {
	w       *walk
	from    string
	mark    *markKind
	columns []int // of the watermark and the key in a row
	strict  bool  // none of the key columns is ever null

	rows  int      // of the next page
	last  [][]byte // what the last row has in columns; nil before the first page
	ties  int      // rows that were read and have the same
	ended bool
}

func (w *walk) keyset(from string, mark *markKind, watermark string) *keyset {
	k := &keyset{w: w, from: from, mark: mark, rows: firstChanged, strict: w.strict}
	for _, column := range append([]string{watermark}, w.key...) {
		k.columns = append(k.columns, w.at(column))
	}
	return k
}

// statement is the SELECT of the next page. It takes up at the last row and leaves out as many as were read
// that are equal to it, so that neither rows of one watermark nor of one key are missed at the end of a page.
// It is a cure of pitfall P12.
func (k *keyset) statement() (text string, params [][]byte) {
	names := make([]string, len(k.columns))
	for i, at := range k.columns {
		names[i] = "pictifyd." + pg.Quote(k.w.columns[at].name)
	}
	params = [][]byte{[]byte(k.from)}
	where := fmt.Sprintf("%s >= $1::%s", names[0], k.mark.lower)
	switch {
	case k.last == nil:
	case !cures.WatermarkTies:
		params = append(params, k.last[0])
		where = fmt.Sprintf("%s AND %s > $2", where, names[0])
	case k.strict:
		params = nil
		marks := make([]string, len(names))
		for i, value := range k.last {
			params = append(params, value)
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
		where = fmt.Sprintf("(%s) >= (%s)", strings.Join(names, ", "), strings.Join(marks, ", "))
	default:
		where = fmt.Sprintf("%s >= $1", names[0])
		params = [][]byte{k.last[0]}
		where += " AND " + after(names, k.last, &params)
	}
	offset := ""
	if k.ties > 0 && cures.WatermarkTies {
		offset = fmt.Sprintf(" OFFSET %d", k.ties)
	}
	return fmt.Sprintf("SELECT * FROM (%s\n) pictifyd WHERE %s ORDER BY %s LIMIT %d%s", k.w.sql, where, strings.Join(names, ", "), k.rows, offset), params
}

// after says that names are behind last or equal to it, where null comes last.
func after(names []string, last [][]byte, params *[][]byte) string {
	if len(names) == 0 {
		return "true"
	}
	rest := after(names[1:], last[1:], params)
	if last[0] == nil {
		return fmt.Sprintf("(%s IS NULL AND %s)", names[0], rest)
	}
	*params = append(*params, last[0])
	n := len(*params)
	return fmt.Sprintf("(%s > $%d OR %s IS NULL OR (%s = $%d AND %s))", names[0], n, names[0], names[0], n, rest)
}

// next implements pager.
func (k *keyset) next(ctx context.Context, p *page) error {
	p.reset()
	p.width = len(k.w.columns)
	if k.ended {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, k.w.patience)
	defer cancel()
	if err := k.w.giveWay(ctx); err != nil {
		return err
	}
	text, params := k.statement()
	if err := p.fill(k.w.conn.ExecParams(ctx, text, params, nil, nil, nil), k.rows); err != nil {
		return err
	}
	k.ended = p.len() < k.rows
	k.follow(p)
	k.rows = p.pace(k.rows)
	return nil
}

// follow remembers the last row of a page.
func (k *keyset) follow(p *page) {
	var cells [][]byte
	for i := range p.len() {
		cells = p.cells(i, cells)
		same := k.last != nil
		for j, at := range k.columns {
			same = same && (cells[at] == nil) == (k.last[j] == nil) && string(cells[at]) == string(k.last[j])
		}
		if same {
			k.ties++
			continue
		}
		k.ties = 1
		if k.last == nil {
			k.last = make([][]byte, len(k.columns))
		}
		for j, at := range k.columns {
			if k.last[j] = nil; cells[at] != nil {
				k.last[j] = append([]byte{}, cells[at]...)
			}
		}
	}
}
