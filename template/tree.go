package template

import (
	"bytes"
	"html"
	"strings"

	htmltree "golang.org/x/net/html"

	"github.com/pictifyd/pictifyd/template/markup"
)

// implied are the elements that a browser adds without a tag of theirs.
var implied = map[string]bool{"html": true, "head": true, "body": true, "tbody": true, "tr": true, "colgroup": true, "p": true, "br": true}

// repeatedAfterwards are the elements that a browser opens again where they were
// not closed.
var repeatedAfterwards = map[string]bool{
	"a": true, "b": true, "big": true, "code": true, "em": true, "font": true, "i": true, "nobr": true,
	"s": true, "small": true, "strike": true, "strong": true, "tt": true, "u": true,
}

// changesReading finds the elements in which text that is not markup elsewhere is
// markup: there the places of elements decide what a tag is.
var changesReading = map[string]bool{"svg": true, "math": true, "select": true}

// A census counts the elements of a document, and notes their attributes.
type census struct {
	elements map[string]int
	attrs    map[[3]string]bool // element, name, value
	starts   map[int]bool       // where the elements begin
	needed   bool               // the document has elements that change how it is read
}

func (r *reader) census() census {
	c := census{elements: map[string]int{}, attrs: map[[3]string]bool{}, starts: map[int]bool{}}
	r.doc.All(func(n *markup.Node) bool {
		if n.Kind != markup.Element {
			return true
		}
		c.needed = c.needed || changesReading[n.Name]
		c.starts[n.Start] = true
		names := []string{n.Name}
		if n.Name == "image" { // that is what browsers call it outside drawings
			names = append(names, "img")
		}
		tag := markup.ParseTag(r.doc.Masked, n.Start, n.Stop)
		for _, name := range names {
			c.elements[name]++
			for _, a := range tag.Attrs {
				c.attrs[[3]string{name, a.Name, html.UnescapeString(a.Value(r.doc.Masked))}] = true
			}
		}
		return true
	})
	return c
}

// lookThrough holds the document against the tree that browsers make of it. One
// that has an element more would show what nobody has looked at: <style> in a
// drawing is markup, which the reader takes for CSS where it believes the drawing
// to be closed.
func (r *reader) lookThrough() {
	c := r.census()
	if !c.needed {
		return
	}
	tree, err := htmltree.Parse(bytes.NewReader(r.doc.Masked))
	if err != nil {
		r.invalid(0, "the document cannot be read as browsers do: %v", err)
		return
	}
	seen := map[string]int{}
	for n := range tree.Descendants() {
		if n.Type != htmltree.ElementNode {
			continue
		}
		name := strings.ToLower(n.Data)
		seen[name]++
		if !c.knows(n, name, seen[name]) {
			r.unsafe(r.hiddenTag(name, c.starts), "a <%s> that only browsers see; close the elements before it", name)
			return
		}
	}
}

func (c *census) knows(n *htmltree.Node, name string, count int) bool {
	if implied[name] && len(n.Attr) == 0 {
		return true
	}
	for _, a := range n.Attr {
		key := strings.ToLower(a.Key)
		if a.Namespace != "" {
			key = strings.ToLower(a.Namespace) + ":" + key
		}
		if !c.attrs[[3]string{name, key, a.Val}] {
			return false
		}
	}
	return count <= c.elements[name] || repeatedAfterwards[name] && c.elements[name] > 0 || implied[name]
}

// hiddenTag is the place of the first tag of the name that is no element of the
// document; its beginning if there is none.
func (r *reader) hiddenTag(name string, starts map[int]bool) int {
	masked := bytes.ToLower(r.doc.Masked)
	tag := []byte("<" + name)
	for from := 0; ; {
		i := bytes.Index(masked[from:], tag)
		if i < 0 {
			return 0
		}
		if !starts[from+i] {
			return from + i
		}
		from += i + len(tag)
	}
}
