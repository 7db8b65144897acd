package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A page is the rows of one FETCH as the server sent them, in one piece.
type page struct {
	width int      // columns of a row
	text  []byte   // of all cells
	ends  []uint32 // of each cell in text; null is marked
}

// null is in the end of a cell that has no value.
const null = 1 << 31

// add takes a row. Of a cell that is too large only so much is kept that this shows.
func (p *page) add(cells [][]byte) {
	for _, cell := range cells {
		if len(cell) > rowBytes {
			cell = cell[:rowBytes+1]
		}
		p.text = append(p.text, cell...)
		end := uint32(len(p.text))
		if cell == nil {
			end |= null
		}
		p.ends = append(p.ends, end)
	}
}

// fill takes the rows of a result, of which at most so many were asked for.
func (p *page) fill(result *pgconn.ResultReader, asked int) error {
	for result.NextRow() {
		if len(p.text) < mostBytes {
			p.add(result.Values())
		}
	}
	if _, err := result.Close(); err != nil {
		return err
	}
	if len(p.text) >= mostBytes {
		return problem.New(problem.TooLarge, "%d rows have more than %d bytes", asked, mostBytes).WithHint("name the columns that are needed")
	}
	return nil
}

// pace is how many rows to ask for next, where so many were asked for now.
func (p *page) pace(asked int) int {
	got := p.len()
	if got == 0 {
		return asked
	}
	return min(max(got*pageBytes/max(len(p.text), 1), 1), mostRows, 4*asked)
}

func (p *page) len() int {
	if p.width == 0 {
		return 0
	}
	return len(p.ends) / p.width
}

func (p *page) reset() { p.text, p.ends = p.text[:0], p.ends[:0] }

// cells are those of row i, into the place of into.
func (p *page) cells(i int, into [][]byte) [][]byte {
	into = into[:0]
	from := uint32(0)
	if i > 0 {
		from = p.ends[i*p.width-1] &^ null
	}
	for _, end := range p.ends[i*p.width : (i+1)*p.width] {
		to := end &^ null
		if end&null != 0 {
			into = append(into, nil)
		} else {
			into = append(into, p.text[from:to:to])
		}
		from = to
	}
	return into
}

// A sum is a digest of rows that does not depend on their order, since a server
// gives none without being asked to sort.
type sum struct {
	count uint64
	lanes [4]uint64
	buf   []byte
}

// A rowDigest tells a row from every other.
type rowDigest [sha256.Size]byte

// add takes a row as one that differs from every other.
func (s *sum) add(cells [][]byte) rowDigest {
	s.buf = s.buf[:0]
	for _, cell := range cells {
		length := uint64(len(cell)) + 1
		if cell == nil {
			length = 0
		}
		s.buf = append(binary.AppendUvarint(s.buf, length), cell...)
	}
	digest := sha256.Sum256(s.buf)
	for i := range s.lanes {
		s.lanes[i] += binary.BigEndian.Uint64(digest[i*8:])
	}
	s.count++
	return digest
}

func (s *sum) text() string {
	b := binary.BigEndian.AppendUint64(nil, s.count)
	for _, lane := range s.lanes {
		b = binary.BigEndian.AppendUint64(b, lane)
	}
	return hex.EncodeToString(b)
}
