package edit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// The slugs of this room's problems.
const (
	Locked        = "locked"          // the layer, or what it stands in, has p-lock
	LayerNotFound = "layer_not_found" // no element has the id
	Opaque        = "opaque"          // the element is no layer of its own
	Changed       = "changed"         // what an inverse restores has been changed since
	Duplicate     = "duplicate_id"
)

// Apply applies operations to the document src, each to what those before it
// made: all of them or, with an error, none. The error is a problem.List whose
// paths name the operation and the field, "ops[2].id". It does not compile the
// result; template.Parse does.
func Apply(src []byte, ops []Op) (Result, error) {
	if result, ok := applyTogether(src, ops); ok {
		return result, nil
	}
	e, p := newEditor(src)
	if p != nil {
		return Result{}, problem.List{p}
	}
	for i, op := range ops {
		if p := e.apply(op); p != nil {
			copied := *p
			return Result{}, problem.List{copied.At(strings.TrimSuffix(fmt.Sprintf("ops[%d].%s", i, p.Path), "."))}
		}
	}
	return e.result(), nil
}

func (e *editor) result() Result {
	slices.Reverse(e.inverse)
	return Result{Source: []byte(e.src), Inverse: e.inverse, Touched: slices.Sorted(maps.Keys(e.touched))}
}

// An editor is a document while operations are applied to it.
type editor struct {
	src     string
	doc     *markup.Document
	ids     map[string]int // how often each stands in src
	inverse []Op           // the last to be applied first
	touched map[string]bool
	trial   bool // inverses are not needed
	held    bool // the tree is read again behind the last operation, not behind each
	exact   bool // of held: each inverse is the way that always works
}

func newEditor(src []byte) (*editor, *problem.Error) {
	if !utf8.Valid(src) {
		return nil, problem.New(problem.Invalid, "the document is not UTF-8")
	}
	e := &editor{src: string(src), doc: markup.Parse(src), touched: map[string]bool{}}
	e.ids = ids(e.doc.Node)
	if e.doc.Unfinished >= 0 {
		at := markup.NewLines("", src).At(e.doc.Unfinished)
		return nil, problem.New(problem.Invalid, "the document ends inside a tag").In(at)
	}
	if e.doc.TooDeep >= 0 {
		at := markup.NewLines("", src).At(e.doc.TooDeep)
		return nil, problem.New(problem.TooLarge, "elements stand inside each other more than %d deep", markup.MaxDepth).In(at)
	}
	return e, nil
}

// A way is a list of operations that may undo one, in their order.
type way []Op

// A handler changes the tree, and says how that might be undone: the way that
// reads best first, one that always works last.
type handler func(*editor, Op) ([]way, *problem.Error)

// apply applies one operation and notes its inverse.
func (e *editor) apply(op Op) *problem.Error {
	run, ok := handlers()[op.Op]
	if !ok {
		return unknown(problem.New(problem.Invalid, "there is no operation %q", op.Op).At("op"), op.Op, kindNames())
	}
	before, noted := e.src, len(e.inverse)
	ways, p := run(e, op)
	if e.held {
		e.keep(ways, noted)
		return p
	}
	if p == nil {
		p = e.commit()
	}
	if p != nil || e.trial {
		return p
	}
	if e.src == before {
		e.inverse = e.inverse[:noted]
		return nil
	}
	ways = append(ways, slices.Clone(e.inverse[noted:]))
	slices.Reverse(ways[len(ways)-1])
	for _, w := range ways {
		if e.leadsTo(w, before) {
			slices.Reverse(w)
			e.inverse = append(e.inverse[:noted], w...)
			return nil
		}
	}
	return problem.New(problem.Internal, "%s cannot be undone here, so it was not done", op.Op)
}

// leadsTo reports whether the operations make the document that was before.
func (e *editor) leadsTo(w way, before string) bool {
	t, p := newEditor([]byte(e.src))
	if p != nil || len(w) == 0 {
		return false
	}
	t.trial = true
	for _, op := range w {
		if t.apply(op) != nil {
			return false
		}
	}
	return t.src == before
}

// commit prints the tree and reads it again. What was put in must not have
// changed the meaning of anything around it.
func (e *editor) commit() *problem.Error {
	printed := e.doc.Print()
	if printed == e.src {
		return nil
	}
	next := markup.Parse([]byte(printed))
	if next.Unfinished >= 0 || next.TooDeep >= 0 || !slices.Equal(shape(e.doc.Node), shape(next.Node)) {
		return problem.New(problem.Invalid, "what is put in would change the structure around it").
			WithHint("write < as &lt; and close every {{ with }}")
	}
	count := ids(next.Node)
	if id := newTwin(e.ids, count); id != "" {
		return problem.New(problem.Conflict, "the id %q is in use", id).WithSlug(Duplicate).At("id")
	}
	e.src, e.doc, e.ids = printed, next, count
	return nil
}

// shape is the tree as a list in which two equal lists are equal trees.
func shape(root *markup.Node) []string {
	var list []string
	run := ""
	flush := func() {
		if run != "" {
			list, run = append(list, "text "+run), ""
		}
	}
	var walk func(*markup.Node)
	walk = func(n *markup.Node) {
		if n.Kind == markup.Text {
			run += n.Raw
			return
		}
		flush()
		list = append(list, fmt.Sprint(n.Kind, n.Name, " ", n.Raw))
		for _, child := range n.Children {
			walk(child)
		}
		flush()
		list = append(list, "end "+n.End)
	}
	walk(root)
	return list
}

// ids counts how often each id stands in the tree.
func ids(root *markup.Node) map[string]int {
	count := map[string]int{}
	root.All(func(n *markup.Node) bool {
		if id := n.ID(); id != "" {
			count[id]++
		}
		return true
	})
	return count
}

// newTwin is an id that now stands in the document more than once, and more
// often than before.
func newTwin(before, now map[string]int) string {
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if now[id] > max(1, before[id]) {
			return id
		}
	}
	return ""
}

func (e *editor) touch(names ...string) {
	for _, name := range names {
		e.touched[name] = true
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
