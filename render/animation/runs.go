package animation

// Rows of numbers are kept as runs: a length with the highest bit set and the
// number that repeats, or a length and so many numbers. A row of noise grows by
// one number in 32,767.
const (
	repeats = 0x8000
	longest = 0x7fff
	worth   = 3 // a shorter repetition is cheaper among its neighbours
)

// pack appends row to runs.
func pack(runs, row []uint16) []uint16 {
	for len(row) > 0 {
		if n := repetition(row); n >= worth {
			runs = append(runs, repeats|uint16(n), row[0])
			row = row[n:]
			continue
		}
		n := 1
		for n < min(len(row), longest) && repetition(row[n:min(len(row), n+worth)]) < worth {
			n++
		}
		runs = append(append(runs, uint16(n)), row[:n]...)
		row = row[n:]
	}
	return runs
}

// repetition is how often the first number of row stands at its beginning.
func repetition(row []uint16) int {
	n := 1
	for n < min(len(row), longest) && row[n] == row[0] {
		n++
	}
	return n
}

// unpack fills row from runs and is the rest of them.
func unpack(row, runs []uint16) (rest []uint16) {
	for len(row) > 0 {
		n := int(runs[0] & longest)
		if runs[0]&repeats == 0 {
			copy(row, runs[1:1+n])
			row, runs = row[n:], runs[1+n:]
			continue
		}
		for i := range row[:n] {
			row[i] = runs[1]
		}
		row, runs = row[n:], runs[2:]
	}
	return runs
}
