package sheets

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/a1"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// layoutFor is how long the sheets of a spreadsheet are taken to be as they were.
// A range that is refused ends it sooner.
const layoutFor = 5 * time.Minute

// A layout is the sheets of a spreadsheet.
type layout struct {
	sheets []grid
	read   time.Time
}

// A grid is the size of a sheet.
type grid struct {
	id            int64
	title         string
	rows, columns int
}

func (s *source) readLayout(ctx context.Context) (*layout, error) {
	answer, err := s.client.book(ctx, "sheets(properties(sheetId,title,sheetType,gridProperties(rowCount,columnCount)))")
	if err != nil {
		return nil, err
	}
	l := &layout{read: time.Now()}
	for _, sheet := range answer.Sheets {
		p := sheet.Properties
		if p == nil || p.GridProperties == nil || p.SheetType != "GRID" && p.SheetType != "" {
			continue // a chart has no cells
		}
		l.sheets = append(l.sheets, grid{p.SheetId, p.Title, int(p.GridProperties.RowCount), int(p.GridProperties.ColumnCount)})
	}
	return l, nil
}

// find is the sheet of that title; without one that of gid, or the first.
func (l *layout) find(title, gid string) (grid, error) {
	titles := make([]string, len(l.sheets))
	for i, g := range l.sheets {
		titles[i] = g.title
		if strings.EqualFold(g.title, title) || title == "" && (gid == "" || gid == strconv.FormatInt(g.id, 10)) {
			return g, nil
		}
	}
	if title == "" {
		return grid{}, problem.New(problem.NotFound, "the spreadsheet has no sheet with the gid %s; it has %s", gid, connectors.Quoted(titles)).
			WithSlug("no_sheet").WithHint("open the sheet and copy its address again, or name it in range")
	}
	e := problem.New(problem.NotFound, "the spreadsheet has no sheet %q; it has %s", title, connectors.Quoted(titles)).WithSlug("no_sheet")
	if near, ok := config.Nearest(title, titles); ok {
		return grid{}, e.WithHint("did you mean %q? rename the sheet back, or correct range", near)
	}
	return grid{}, e.WithHint("rename the sheet back, or correct range; an address with #gid=… instead of a name follows a sheet that is renamed")
}

// A place is where a table stands: its header's row, and its rows.
type place struct {
	grid
	head a1.Range // one row
	body a1.Range // Down is 0 where the sheet's end is its end
}

// place is what a range of the configuration means in this layout.
func (l *layout) place(r a1.Range, gid string, headerRow int) (place, error) {
	g, err := l.find(r.Sheet, gid)
	if err != nil {
		return place{}, err
	}
	r.Sheet = g.title
	r.Left, r.Top = max(r.Left, 1), max(r.Top, 1)
	if r.Right == 0 {
		r.Right = a1.MaxColumn
	}
	p := place{grid: g, head: r, body: r}
	if headerRow == 0 {
		headerRow = r.Top
	}
	p.head.Top, p.head.Down = headerRow, headerRow
	p.body.Top = max(r.Top, headerRow+1)
	if headerRow > g.rows || r.Left > g.columns {
		return p, problem.New(problem.Invalid, "the header would be at %s, but sheet %q ends at %s", position(g.title, r.Left, headerRow), g.title,
			position(g.title, g.columns, g.rows)).WithSlug("no_range").WithHint("correct range or header_row")
	}
	return p, nil
}

// end is the last row of p that there can be.
func (p place) end() int {
	if p.body.Down > 0 {
		return min(p.rows, p.body.Down)
	}
	return p.rows
}

// cells is how many there are from the first row of p to row last.
func (p place) cells(last int) int {
	return (last - p.body.Top + 1) * (min(p.columns, p.body.Right) - p.body.Left + 1)
}
