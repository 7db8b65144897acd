package edit

import "slices"

// plain are the operations that change a start tag or a style sheet and nothing
// around them, so that many can be done before the document is read again. A drag
// of a hundred layers is a hundred of them, and so is what undoes it.
var plain = map[string]bool{"set_box": true, "set_style": true, "set_size_override": true, "ensure_id": true, "set_tag": true, "patch_text": true}

// applyTogether is Apply for plain operations, with the same result: the document
// is read once and not for each of them, and their inverses are tried as one. It
// is not ok where there is only one, or where anything is in doubt; Apply then
// finds what is wrong, or other inverses.
func applyTogether(src []byte, ops []Op) (Result, bool) {
	if len(ops) < 2 || slices.ContainsFunc(ops, func(op Op) bool { return !plain[op.Op] }) {
		return Result{}, false
	}
	for _, exact := range []bool{false, true} {
		e, ok := together(src, ops, exact)
		if !ok {
			return Result{}, false
		}
		result := e.result()
		if back, ok := together(result.Source, result.Inverse, exact); ok && back.src == string(src) {
			return result, true
		}
	}
	return Result{}, false
}

func together(src []byte, ops []Op, exact bool) (*editor, bool) {
	e, p := newEditor(src)
	if p != nil {
		return nil, false
	}
	e.held, e.exact = true, exact
	for _, op := range ops {
		if e.apply(op) != nil {
			return nil, false
		}
	}
	return e, e.commit() == nil
}

// keep notes one of the ways to undo an operation, in place of those of its parts.
func (e *editor) keep(ways []way, noted int) {
	if len(ways) == 0 {
		return
	}
	w := ways[0]
	if e.exact {
		w = ways[len(ways)-1]
	}
	w = slices.Clone(w)
	slices.Reverse(w)
	e.inverse = append(e.inverse[:noted], w...)
}
