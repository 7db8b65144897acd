package bindings

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Of is d with pictures that are made of doc, which is no version of a template.
func (d *Drawing) Of(doc *Document) *Drawing {
	own := *d
	own.outputs = slices.Clone(d.outputs)
	for i := range own.outputs {
		own.outputs[i].spec.Document = doc
	}
	return &own
}

// Together is what rows should become whose pages follow each other in one file,
// which formats of pages can hold. A row at fault refuses all; its field is
// within at and the row's number.
func (d *Drawing) Together(owner Owner, key string, rows []map[string]any, at string, now time.Time, priority int) Proposal {
	var whole Proposal
	for i, row := range rows {
		p := d.Propose(owner, key, row, now, priority)
		if p.Problem != nil {
			fault := *p.Problem
			fault.Field = strings.TrimPrefix(fault.Field, "variables.")
			fault.Field = strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", at, i, fault.Field), ".")
			return Refused(owner, key, fault)
		}
		if i == 0 {
			whole = p
			continue
		}
		for n := range whole.Wants {
			whole.Wants[n].Spec.More = append(whole.Wants[n].Spec.More, p.Wants[n].Spec.Values)
		}
	}
	for n := range whole.Wants {
		w := &whole.Wants[n]
		w.Fingerprint = Fingerprint(w.Spec, d.epoch)
	}
	whole = wanting(owner, key, whole.Wants)
	whole.Priority = priority
	return whole
}

// PagesOf is how many pages the file of w has, which is a want of d.
func (d *Drawing) PagesOf(w Want) int {
	for _, o := range d.outputs {
		if o.name != w.Output {
			continue
		}
		pages := max(o.page.Pages(w.Spec.Values), 1)
		for _, values := range w.Spec.More {
			pages += max(o.page.Pages(values), 1)
		}
		if o.spec.Number > 0 { // one of them
			return 1 + len(w.Spec.More)
		}
		return pages
	}
	return 0
}
