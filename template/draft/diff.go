package draft

import (
	"fmt"
	"slices"
	"strings"
)

const (
	diffContext = 3    // unchanged lines around a change
	diffEffort  = 1000 // lines that may differ before the rest is said to be all different
)

// A line of a script says what becomes of a line: ' ' stays, '-' goes, '+' comes.
type line struct {
	op   byte
	text string
}

// Unified is what turns the text a into b, in the form that diff -u has; "" when
// they are the same. from and to name them.
func Unified(from, to, a, b string) string {
	if a == b {
		return ""
	}
	script := scriptOf(strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n"))
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", from, to)
	oldLine, newLine := 1, 1
	for at := 0; at < len(script); {
		begin, end := hunk(script, at)
		if begin == end {
			break
		}
		for _, l := range script[at:begin] {
			oldLine, newLine = oldLine+b2i(l.op != '+'), newLine+b2i(l.op != '-')
		}
		oldLine, newLine = writeHunk(&out, script[begin:end], oldLine, newLine)
		at = end
	}
	return out.String()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// hunk is the next piece of the script with changes that are near each other.
func hunk(script []line, at int) (begin, end int) {
	changed := func(l line) bool { return l.op != ' ' && l.text != "" }
	first := slices.IndexFunc(script[at:], changed)
	if first < 0 {
		return at, at
	}
	begin, end = max(at, at+first-diffContext), at+first+1
	for i := end; i < len(script) && i <= end+2*diffContext; i++ {
		if changed(script[i]) {
			end = i + 1
		}
	}
	return begin, min(len(script), end+diffContext)
}

func writeHunk(out *strings.Builder, lines []line, oldLine, newLine int) (oldNext, newNext int) {
	lines = slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return l.text == "" }) // behind the last newline
	olds, news := 0, 0
	for _, l := range lines {
		olds, news = olds+b2i(l.op != '+'), news+b2i(l.op != '-')
	}
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(oldLine, olds), span(newLine, news))
	for _, l := range lines {
		out.WriteByte(l.op)
		out.WriteString(l.text)
		if !strings.HasSuffix(l.text, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
	return oldLine + olds, newLine + news
}

// span is a range of lines as diff writes it.
func span(begin, n int) string {
	if n == 0 {
		begin--
	}
	return fmt.Sprintf("%d,%d", begin, n)
}

// scriptOf turns a into b with few changes.
func scriptOf(a, b []string) []line {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	script := mark(' ', a[:head])
	script = append(script, shortest(a[head:len(a)-tail], b[head:len(b)-tail])...)
	return append(script, mark(' ', a[len(a)-tail:])...)
}

func mark(op byte, lines []string) []line {
	marked := make([]line, len(lines))
	for i, text := range lines {
		marked[i] = line{op, text}
	}
	return marked
}

// shortest is the shortest script (Myers, An O(ND) Difference Algorithm, 1986);
// where it would be very long, all of a goes and all of b comes.
func shortest(a, b []string) []line {
	effort := min(len(a)+len(b), diffEffort)
	reach := make([]int, 2*effort+3) // the furthest line of a on each diagonal
	var trace [][]int
	for d := 0; d <= effort; d++ {
		trace = append(trace, slices.Clone(reach[effort-d:effort+d+3]))
		for k := -d; k <= d; k += 2 {
			x := step(reach, effort+1+k, k, d)
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			reach[effort+1+k] = x
			if x >= len(a) && x-k >= len(b) {
				return walkBack(a, b, trace)
			}
		}
	}
	return append(mark('-', a), mark('+', b)...)
}

// step is where a diagonal is entered with one change more.
func step(reach []int, at, k, d int) int {
	if k == -d || k != d && reach[at-1] < reach[at+1] {
		return reach[at+1]
	}
	return reach[at-1] + 1
}

// walkBack reads the script out of what was reached with each number of changes.
func walkBack(a, b []string, trace [][]int) []line {
	var script []line
	x, y := len(a), len(b)
	for d := len(trace) - 1; d >= 0; d-- {
		k := x - y
		reach := trace[d] // diagonal k is at k+d+1
		down := d == 0 || k == -d || k != d && reach[k+d] < reach[k+d+2]
		fromX := reach[k+d+2]
		if !down {
			fromX = reach[k+d]
		}
		start := fromX // of the diagonal run
		if !down {
			start++
		}
		if d == 0 {
			start = 0
		}
		for x > start {
			x, y = x-1, y-1
			script = append(script, line{' ', a[x]})
		}
		switch {
		case d == 0:
		case down:
			y--
			script = append(script, line{'+', b[y]})
		default:
			x--
			script = append(script, line{'-', a[x]})
		}
	}
	slices.Reverse(script)
	return script
}
