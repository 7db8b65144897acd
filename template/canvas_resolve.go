package template

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A sketch is what a resolver notes for an editor, and how it goes on where a row
// would fail.
type sketch struct {
	canvas  *Canvas
	drawing *Drawing
	last    map[string]string // values of before, by place and copy
	standIn map[string]*problem.Error
	loops   []int
}

// resolve computes the values of a row, each of them as well as it can be had.
func (c *Canvas) resolve(values map[string]any, o Order, d *Drawing) (Values, error) {
	s := &sketch{canvas: c, drawing: d, standIn: map[string]*problem.Error{}}
	if o.Last != nil {
		s.last = o.Last.raw
	}
	w := resolver{t: c.t, book: c.t.book(), env: o.Env, out: make(Values, 1, len(c.t.slots)+1), sketch: s}
	w.coerce(values)
	for _, p := range w.problems {
		d.Problems = append(d.Problems, Trouble{Error: p})
		name := strings.TrimPrefix(p.Path, "variables.")
		s.standIn[name] = p
		if example, ok := c.examples[name]; ok {
			w.row[name] = example
		}
	}
	w.problems = nil
	w.settle()
	w.out[0] = w.modifications(values)
	for _, p := range w.problems {
		d.Problems = append(d.Problems, Trouble{Error: p})
	}
	w.problems, w.fault = nil, nil
	w.walk(c.t.pieces)
	return w.out, w.problems.Err() // that the row makes too much
}

// copyOf tells apart what loops make of one place.
func (s *sketch) copyOf() string {
	if len(s.loops) == 0 {
		return ""
	}
	parts := make([]string, len(s.loops))
	for i, n := range s.loops {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ".")
}

// note is the value of a slot, or what it is instead: the last good one, then what
// it has with the examples, then otherwise. raw is as Values have it.
func (w *resolver) note(s *slot, raw string, p *problem.Error, otherwise string) string {
	k := w.sketch
	kept := false
	if p == nil {
		p = k.standInFor(s)
		kept = p != nil
	} else {
		kept = true
		w.blameSpot(s, p)
		var ok bool
		if raw, ok = k.last[s.spot.key()+"#"+k.copyOf()]; !ok {
			if raw, ok = w.byExamples(s); !ok {
				raw = otherwise
			}
		}
	}
	if s.spot.node == "" {
		return raw
	}
	key := s.spot.key()
	if !kept {
		k.drawing.raw[key+"#"+k.copyOf()] = raw
	}
	shown, seen := k.drawing.Values[key]
	if !seen || p != nil && shown.Error == nil {
		shown = Shown{Expression: s.spot.source, Value: shownAs(s, raw), Copies: shown.Copies, Kept: kept}
		if p != nil {
			shown.Error = wrongOf(s, p)
		}
	}
	if len(k.loops) > 0 {
		shown.Copies++
	}
	k.drawing.Values[key] = shown
	return raw
}

func (s spot) key() string { return s.node + " " + s.place }

// standInFor is what is wrong with a variable of s, which was taken from the examples.
func (k *sketch) standInFor(s *slot) *problem.Error {
	for _, name := range s.vars {
		if p := k.standIn[name]; p != nil {
			return p
		}
	}
	return nil
}

// blameSpot notes a problem of the row once for each place.
func (w *resolver) blameSpot(s *slot, p *problem.Error) {
	d := w.sketch.drawing
	if len(d.Problems) >= maxProblems || slices.ContainsFunc(d.Problems, func(t Trouble) bool { return t.Node == s.spot.node && t.Place == s.spot.place }) {
		return
	}
	d.Problems = append(d.Problems, Trouble{Error: p, Node: s.spot.node, Place: s.spot.place, Copy: w.sketch.copyOf()})
}

// byExamples is the value that s has with the examples of the manifest.
func (w *resolver) byExamples(s *slot) (string, bool) {
	if s.place == isList || s.place == isFigure {
		return "", false
	}
	t := resolver{t: w.t, book: w.book, row: w.sketch.canvas.examples, env: w.env}
	if s.place == isCondition {
		v, err := s.parts[0].program.Eval(t.row, t.env)
		return oneIf(expr.Truthy(v)), err == nil
	}
	text, p := t.resolve(s)
	return text, p == nil
}

func oneIf(yes bool) string {
	if yes {
		return "1"
	}
	return ""
}

const shownLetters = 1000

// shownAs is a value for people.
func shownAs(s *slot, raw string) any {
	switch {
	case s.place == isCondition:
		return raw == "1"
	case s.place == isList:
		n, _ := strconv.Atoi(raw)
		return n
	case s.place.address():
		if path, _, ok := strings.Cut(raw, "#"); ok && strings.HasPrefix(raw, assetPath) {
			raw = strings.TrimPrefix(path, "/")
		}
	}
	if letters := []rune(raw); len(letters) > shownLetters {
		return string(letters[:shownLetters]) + "…"
	}
	return raw
}

func wrongOf(s *slot, p *problem.Error) *Wrong {
	w := &Wrong{Code: p.Kind(), Message: p.Message, Hint: p.Hint, To: units(s.spot.source)}
	var inner *problem.Error
	if !s.spot.mixed && errors.As(p.Err, &inner) && inner.Pos.Line > 0 {
		w.From, w.To = trimmedSpan(s.spot.text, inner.Pos)
	}
	return w
}

// sketchItems are the items of a loop that the row has none for: those of the
// examples.
func (w *resolver) sketchItems(s *slot) []any {
	items, p := w.listOf(s)
	if p == nil {
		w.note(s, strconv.Itoa(len(items)), nil, "")
		return items
	}
	row := w.row
	w.row = w.sketch.canvas.examples
	items, again := w.listOf(s)
	w.row = row
	if again != nil {
		items = nil
	}
	w.note(s, "", p, strconv.Itoa(len(items)))
	return items
}

// sketchHolds is whether a condition holds; where the row lets nobody say, what it
// decides about is shown.
func (w *resolver) sketchHolds(s *slot) bool {
	v, err := s.parts[0].program.Eval(w.row, w.env)
	if err != nil {
		return w.note(s, "", s.problem(err), "1") == "1"
	}
	return w.note(s, oneIf(expr.Truthy(v)), nil, "") == "1"
}

// round is one of a loop, for copyOf.
func (w *resolver) round(i int) {
	if k := w.sketch; k != nil {
		k.loops[len(k.loops)-1] = i
	}
}

func (w *resolver) enterLoop() (leave func()) {
	k := w.sketch
	if k == nil {
		return func() {}
	}
	k.loops = append(k.loops, 0)
	return func() { k.loops = k.loops[:len(k.loops)-1] }
}

// cloneLocals are the locals of the loop around, to which one adds its own.
func cloneLocals(outer map[string]any) map[string]any {
	if locals := maps.Clone(outer); locals != nil {
		return locals
	}
	return make(map[string]any, 2)
}
