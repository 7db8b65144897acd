package sheets

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/a1"
)

// A dating is what the numbers of a column mean.
type dating string

const (
	plain    dating = "NUMBER"
	date     dating = "DATE"
	clock    dating = "TIME"
	dateTime dating = "DATE_TIME"
	anyDate  dating = "any" // declared: each number tells itself
)

// formatsFor is how long the formats of columns are taken to be as they were.
const formatsFor = 5 * time.Minute

// formats are what the number formats of a table's columns say, by name.
type formats struct {
	header []string
	of     map[string]dating
	read   time.Time
}

// good reports whether f says all that is needed for t.
func (f *formats) good(t *table) bool {
	if f == nil || time.Since(f.read) > formatsFor || !slices.Equal(f.header, t.header.names) {
		return false
	}
	for i := range t.numbers() {
		if _, ok := f.of[t.header.names[i]]; !ok {
			return false
		}
	}
	return true
}

// numbers are the columns that have numbers, each with the first line that has one.
func (t *table) numbers() map[int]line {
	first := map[int]line{}
	for _, l := range t.lines {
		for i, c := range l.cells {
			if _, number := c.(float64); number && i < len(t.header.names) && t.header.names[i] != "" {
				if _, found := first[i]; !found {
					first[i] = l
				}
			}
		}
	}
	return first
}

// sampledRows is in how many rows at most formats are looked up in one request.
const sampledRows = 50

// readFormats asks for the formats of the first number of each column. One cell
// speaks for its column: the formats of all would be a hundred times the values.
func (s *source) readFormats(ctx context.Context, t *table) (*formats, error) {
	f := &formats{header: t.header.names, of: map[string]dating{}, read: time.Now()}
	byRow := map[int][]int{}
	for i, l := range t.numbers() {
		byRow[l.row] = append(byRow[l.row], i)
		f.of[t.header.names[i]] = plain
	}
	rows := make([]int, 0, len(byRow))
	for row := range byRow {
		rows = append(rows, row)
	}
	slices.Sort(rows)
	for chunk := range slices.Chunk(rows, sampledRows) {
		ranges := make([]string, len(chunk))
		for i, row := range chunk {
			ranges[i] = a1.Range{
				Sheet: t.header.sheet, Left: t.header.left, Right: t.header.left + len(t.header.names) - 1, Top: row, Down: row,
			}.String()
		}
		answer, err := s.client.book(ctx, "sheets(data(startRow,startColumn,rowData(values(effectiveFormat(numberFormat(type))))))", ranges...)
		if err != nil {
			return nil, err
		}
		for _, sheet := range answer.Sheets {
			for _, grid := range sheet.Data {
				if len(grid.RowData) == 0 {
					continue
				}
				for j, cell := range grid.RowData[0].Values {
					i := int(grid.StartColumn) + 1 + j - t.header.left
					if cell.EffectiveFormat == nil || cell.EffectiveFormat.NumberFormat == nil || !slices.Contains(byRow[int(grid.StartRow)+1], i) {
						continue
					}
					f.of[t.header.names[i]] = dating(cell.EffectiveFormat.NumberFormat.Type)
				}
			}
		}
	}
	return f, nil
}

// epoch is the day of serial 0.
var epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// lastSerial is the last day that Sheets knows, 9999-12-31.
const lastSerial = 2958465

// moment is a serial number as ISO text, or false where d or the number is no date.
func moment(serial float64, d dating) (string, bool) {
	if d == plain || math.Abs(serial) > lastSerial+1 {
		return "", false
	}
	days := math.Floor(serial)
	ms := math.Round((serial - days) * 86400000)
	at := epoch.AddDate(0, 0, int(days)).Add(time.Duration(ms) * time.Millisecond)
	if d == anyDate {
		switch {
		case ms == 0:
			d = date
		case days == 0:
			d = clock
		default:
			d = dateTime
		}
	}
	switch d {
	case date:
		return at.Format(time.DateOnly), true
	case dateTime:
		return at.Format("2006-01-02T15:04:05") + fraction(at), true
	case clock:
		// More than a day is a duration: hours go on counting.
		since := at.Sub(epoch)
		if since < 0 {
			return "", false
		}
		return fmt.Sprintf("%02d:%s", int(since.Hours()), at.Format("04:05")) + fraction(at), true
	}
	return "", false
}

func fraction(at time.Time) string {
	if at.Nanosecond() == 0 {
		return ""
	}
	return strings.TrimRight(at.Format(".000"), "0")
}
