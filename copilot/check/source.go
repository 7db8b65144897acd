package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// directive is the value of a p-… attribute, which may be written data-p-….
func directive(n *markup.Node, name string) (string, bool) {
	if n.Kind != markup.Element {
		return "", false
	}
	if v, ok := n.Get(name); ok {
		return v, true
	}
	return n.Get("data-" + name)
}

// lockedChanged is the locked layers that are not as they were, to the byte: those
// with an id are looked for by it, others among those that have none.
func lockedChanged(before, after []byte) []Finding {
	var all []Finding
	now := markup.Parse(after)
	nameless := map[string]int{}
	for _, n := range locked(now) {
		if n.ID() == "" {
			nameless[n.Print()]++
		}
	}
	for _, n := range locked(markup.Parse(before)) {
		id, text := n.ID(), n.Print()
		if id == "" {
			nameless[text]--
			if nameless[text] >= 0 {
				continue
			}
		} else if same := now.Find(id); same != nil && same.Print() == text {
			continue
		}
		layer := cmp.Or(id, n.Name)
		all = append(all, Finding{
			Code: CodeLocked, Level: Error, Layer: layer,
			Message: fmt.Sprintf("the layer %s is locked, and was changed: take the change back, or have it unlocked by a person", layer),
		})
	}
	return all
}

// locked are the elements that are locked themselves, not because of what they
// stand in.
func locked(d *markup.Document) []*markup.Node {
	var all []*markup.Node
	var walk func(n *markup.Node)
	walk = func(n *markup.Node) {
		if v, ok := directive(n, "p-lock"); ok && v != "false" {
			all = append(all, n)
			return
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(d.Node)
	return all
}

// What names the file of an image.
var sources = []string{"src", "p-src", "data-p-src", "srcset", "p-fallback", "data-p-fallback", "href", "xlink:href"}

// logosChanged is the logos that show other files than before.
func logosChanged(before, after []byte) []Finding {
	var all []Finding
	now := logos(markup.Parse(after))
	for _, was := range logos(markup.Parse(before)) {
		i := slices.IndexFunc(now, func(is logo) bool { return is == was })
		if i >= 0 {
			now = slices.Delete(now, i, i+1)
			continue
		}
		all = append(all, Finding{
			Code: CodeLogoSource, Level: Error, Layer: was.layer,
			Message: fmt.Sprintf("the logo %s is gone, or shows another file than before: give it back its %s", was.layer, was.source),
		})
	}
	return all
}

// A logo is one image in a layer of that role.
type logo struct{ layer, source string }

func logos(d *markup.Document) []logo {
	var all []logo
	d.All(func(n *markup.Node) bool {
		if n.Kind != markup.Element {
			return true
		}
		layer, is := logoLayer(n)
		if !is {
			return true
		}
		var files []string
		for _, name := range sources {
			if v, ok := n.Get(name); ok {
				files = append(files, name+"="+v)
			}
		}
		if len(files) > 0 {
			all = append(all, logo{layer, strings.Join(files, " ")})
		}
		return true
	})
	return all
}

// logoLayer is the layer of the role logo that n is or stands in.
func logoLayer(n *markup.Node) (string, bool) {
	for at := n; at != nil; at = at.Parent {
		if role, ok := directive(at, "p-role"); ok && role == "logo" {
			return cmp.Or(n.ID(), at.ID(), n.Name), true
		}
	}
	return "", false
}
