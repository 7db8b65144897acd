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
}

// NewLines is the places of src, which is the text of file.
func NewLines(file string, src []byte) *Lines {
	l := &Lines{File: file, Src: src, starts: []int{0}}
	for i, c := range src {
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
	return problem.Position{File: l.File, Line: low + 1, Column: utf8.RuneCount(l.Src[l.starts[low]:offset]) + 1}
}
