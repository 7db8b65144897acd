package markup

// Units tells places of a text in UTF-16 units, which is how browsers and their
// editors count. The zero Units counts nothing.
type Units struct {
	src    []byte
	before []int // units before each block
}

const unitBlock = 64 // bytes

// NewUnits counts in src, which is UTF-8.
func NewUnits(src []byte) Units {
	u := Units{src: src, before: make([]int, 0, len(src)/unitBlock+1)}
	n := 0
	for i := range src {
		if i%unitBlock == 0 {
			u.before = append(u.before, n)
		}
		n += unitsOf(src[i])
	}
	return u
}

// unitsOf is how many units the letter has that begins with a byte; 0 of a byte
// that begins none.
func unitsOf(c byte) int {
	switch {
	case c >= 0xf0:
		return 2
	case c < 0x80 || c >= 0xc0:
		return 1
	}
	return 0
}

// At is how many units stand before the byte offset.
func (u Units) At(offset int) int {
	if len(u.before) == 0 {
		return 0
	}
	block := min(offset/unitBlock, len(u.before)-1)
	n := u.before[block]
	for _, c := range u.src[block*unitBlock : offset] {
		n += unitsOf(c)
	}
	return n
}

// A Splice is how one text becomes another: what stands from From to To, in
// UTF-16 units, becomes Text.
type Splice struct {
	From int    `json:"from"`
	To   int    `json:"to"`
	Text string `json:"text"`
}

// SpliceOf is the shortest splice that makes b of a; ok is false where they are
// the same.
func SpliceOf(a, b []byte) (s Splice, ok bool) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	if head == len(a) && head == len(b) {
		return s, false
	}
	for head > 0 && (head < len(a) && unitsOf(a[head]) == 0 || head < len(b) && unitsOf(b[head]) == 0) {
		head--
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	for tail > 0 && unitsOf(a[len(a)-tail]) == 0 {
		tail--
	}
	u := NewUnits(a)
	return Splice{From: u.At(head), To: u.At(len(a) - tail), Text: string(b[head : len(b)-tail])}, true
}

// Start is where a thing begins that began at x before the splice.
func (s Splice) Start(x int) int {
	if x >= s.To {
		return x + s.grown()
	}
	return x
}

// End is where a thing ends that ended at x before the splice.
func (s Splice) End(x int) int {
	if x <= s.From {
		return x
	}
	return x + s.grown()
}

func (s Splice) grown() int {
	n := 0
	for i := range len(s.Text) {
		n += unitsOf(s.Text[i])
	}
	return n - (s.To - s.From)
}
