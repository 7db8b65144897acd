package pdf

// A mark is a bookmark: a title and its page.
type mark struct {
	title string
	page  ref
}

// Mark gives the page that is added next a bookmark.
func (w *Writer) Mark(title string) { w.title = title }

// marked notes the bookmark of a page that was added.
func (w *Writer) marked(page ref) {
	if w.title != "" {
		w.marks = append(w.marks, mark{w.title, page})
		w.title = ""
	}
}

// outline writes the bookmarks, in the order of their pages, and names them in root.
func (w *Writer) outline(root dict) error {
	if len(w.marks) == 0 {
		return nil
	}
	all := w.out.reserve()
	items := make([]ref, len(w.marks))
	for i := range items {
		items[i] = w.out.reserve()
	}
	for i, m := range w.marks {
		item := dict{"Title": textString(m.title), "Parent": all, "Dest": array{m.page, name("Fit")}}
		if i > 0 {
			item["Prev"] = items[i-1]
		}
		if i+1 < len(items) {
			item["Next"] = items[i+1]
		}
		if err := w.out.put(items[i], item); err != nil {
			return err
		}
	}
	root["Outlines"], root["PageMode"] = all, name("UseOutlines")
	return w.out.put(all, dict{"Type": name("Outlines"), "First": items[0], "Last": items[len(items)-1], "Count": integer(len(items))})
}
