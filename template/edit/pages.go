package edit

import (
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

func (e *editor) page(id, field string) (*markup.Node, *problem.Error) {
	n, p := e.unlocked(id, field)
	if p != nil {
		return nil, p
	}
	if !n.Page() {
		var names []string
		for _, page := range e.pages() {
			names = append(names, page.ID())
		}
		return nil, unknown(problem.New(problem.NotFound, "%q is no page", id).WithSlug(LayerNotFound).At(field), id, names)
	}
	return n, nil
}

func (e *editor) addPage(op Op) ([]way, *problem.Error) {
	if p := e.free(op.ID, "id"); p != nil {
		return nil, p
	}
	s := spot{parent: e.body()}
	s.index = len(s.parent.Elements())
	if pages := e.pages(); op.After == "" && len(pages) > 0 {
		last := pages[len(pages)-1]
		s = spot{parent: last.Parent, index: elementIndex(last) + 1}
	}
	if op.After != "" {
		page, p := e.find(op.After, "after")
		if p != nil {
			return nil, p
		}
		if !page.Page() {
			return nil, problem.New(problem.Invalid, "%q is no page", op.After).At("after")
		}
		s = spot{parent: page.Parent, index: elementIndex(page) + 1}
	}
	if s.parent.Kind == markup.Element && s.parent.End == "" {
		return nil, problem.New(problem.Unsupported, "the <%s> has no end tag, so that nothing says where its pages end", s.parent.Name).At("id")
	}
	e.touch("page:" + op.ID)
	lead, trail := e.spacing(s)
	indent := lead
	if indent == "" {
		indent = "\n"
	}
	ways, p := e.insert(s, lead, `<section id="`+op.ID+`" class="p-page">`+indent+`</section>`, trail)
	return append([]way{{{Op: "remove_page", ID: op.ID}}}, ways...), p
}

func (e *editor) removePage(op Op) ([]way, *problem.Error) {
	n, p := e.page(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if len(e.pages()) == 1 {
		return nil, problem.New(problem.Unsupported, "%q is the only page", op.ID).At("id").WithHint("a template needs one")
	}
	if p := e.checkLocksBelow(n, "id"); p != nil {
		return nil, p
	}
	e.touch("page:" + op.ID)
	return e.cut(n, lineBefore(n), "")
}

func (e *editor) movePage(op Op) ([]way, *problem.Error) {
	n, p := e.page(op.ID, "id")
	if p != nil {
		return nil, p
	}
	var others []*markup.Node
	was := 0
	for i, page := range e.pages() {
		if page == n {
			was = i
		} else {
			others = append(others, page)
		}
	}
	if op.Index == nil || *op.Index < 0 || *op.Index > len(others) {
		return nil, problem.New(problem.Invalid, "there is no such place: the document has %d pages", len(others)+1).At("index")
	}
	if len(others) == 0 || *op.Index == was {
		return nil, nil
	}
	e.touch("page:" + op.ID)
	target, shift := others[min(*op.Index, len(others)-1)], 0
	if *op.Index == len(others) {
		shift = 1
	}
	s := spot{parent: target.Parent, index: elementIndex(target) + shift}
	if n.Parent == target.Parent && elementIndex(n) < elementIndex(target) {
		s.index--
	}
	return []way{{{Op: "move_page", ID: op.ID, Index: &was}}}, e.move(n, s)
}
