package markup

import (
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Lines finds the line and column of a byte offset.
type Lines struct {
	File   string
	Src    []byte
	starts []int
	runes  []int // how many letters stand before each block, so that long lines are not counted again
}

const lineBlock = 1 << 12 // bytes

// NewLines is the places of src, which is the text of file.
func NewLines(file string, src []byte) *Lines {
	l := &Lines{File: file, Src: src, starts: []int{0}}
	letters := 0
	for i, c := range src {
		if i%lineBlock == 0 {
			l.runes = append(l.runes, letters)
		}
		if utf8.RuneStart(c) {
			letters++
		}
		if c == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// At is the place of a byte offset; one outside the text is at its edge.
func (l *Lines) At(offset int) problem.Position {
	offset = min(max(offset, 0), len(l.Src))
	low, high := 0, len(l.starts)
	for high-low > 1 {
		if mid := (low + high) / 2; l.starts[mid] <= offset {
			low = mid
		} else {
			high = mid
		}
	}
	return problem.Position{File: l.File, Line: low + 1, Column: l.letters(offset) - l.letters(l.starts[low]) + 1}
}

// letters is how many stand before the offset.
func (l *Lines) letters(offset int) int {
	if len(l.runes) == 0 {
		return 0
	}
	block := min(offset/lineBlock, len(l.runes)-1)
	n := l.runes[block]
	for _, c := range l.Src[block*lineBlock : offset] {
		if utf8.RuneStart(c) {
			n++
		}
	}
	return n
}
