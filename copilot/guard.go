package copilot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A copilot must not bring an address of the network into a template: whoever gave
// it orders by the text of a row could have the rows told to him. So a change is
// refused that has an address, or an expression that may make one, which is not in
// the draft: there a person wrote it.

var (
	// address is what leads to another host: a scheme or // with something behind it.
	address = regexp.MustCompile(`(?i)(?:\b[a-z][a-z0-9+.-]{1,15}:)?//[^\s"'()<>;]+`)
	// loading are the functions and rules of CSS that fetch what an expression or a
	// token could name.
	loading = regexp.MustCompile(`(?i)(?:image-set|cross-fade|src)\s*\(|@import|url\(\s*["']?\s*(?:\{\{|var\()`)
	// bare is a variable, or a part of one.
	bare = regexp.MustCompile(`^[A-Za-z_]\w*(?:\.\w+|\[\d+\])*$`)
	// namespaces are addresses that nobody fetches.
	namespaces = regexp.MustCompile(`(?i)^https?://www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml|1998/Math/MathML|XML/1998/namespace)$`)
	// fetches are the places of expressions of which the engine fetches what they say.
	fetches = regexp.MustCompile(`(?i)src|fallback|href|poster|data|style|url|background|mask|content|cursor|image|filter|clip-path`)
	// making are expressions of a style that may make an address.
	making = regexp.MustCompile(`(?i)url|src|image-set|//|https?|\+|format|join|replace|concat|decode|from`)
)

const strange = "foreign_address"

// guard refuses a document that the run must not have made.
func (f *flight) guard(next look.Doc) error {
	before := addresses(f.clean.Source)
	for _, a := range addresses(next.Source) {
		if !slices.Contains(before, a) {
			return problem.New(problem.Forbidden, "the address %q is not in the template: a copilot brings none into it", bounded(a, 120)).WithSlug(strange).
				WithHint("show a file that list_assets names, or a variable; a person can add an address in the editor")
		}
	}
	if n := len(loading.FindAllIndex(next.Source, -1)); n > len(loading.FindAllIndex(f.clean.Source, -1)) {
		return problem.New(problem.Forbidden, "an address that an expression or a token makes has no place in a step of a copilot").WithSlug(strange).
			WithHint("name a file that list_assets names, in url(…)")
	}
	return f.guardExpressions(next)
}

// guardExpressions refuses new expressions where the engine fetches what they say,
// unless they are a variable alone.
func (f *flight) guardExpressions(next look.Doc) error {
	canvas, err := template.ParseCanvas(next.Name, next.Source, next.Assets)
	if err != nil {
		return fmt.Errorf("the document would not compile: %w", err)
	}
	old, err := template.ParseCanvas(f.clean.Name, f.clean.Source, f.clean.Assets)
	if err != nil {
		return fmt.Errorf("template %q: %w", f.clean.Name, err)
	}
	known := map[string]bool{} // there where they fetch; a text may say anything
	for _, b := range old.Bindings() {
		known[b.Expression] = known[b.Expression] || fetches.MatchString(b.Place)
	}
	for _, b := range canvas.Bindings() {
		e := strings.TrimSpace(b.Expression)
		if known[b.Expression] || bare.MatchString(e) || !fetches.MatchString(b.Place) {
			continue
		}
		if strings.Contains(strings.ToLower(b.Place), "style") && !making.MatchString(e) {
			continue
		}
		return problem.New(problem.Forbidden, "the expression %q could make an address, in the place %s", bounded(e, 120), bounded(b.Place, 80)).WithSlug(strange).
			WithHint("bind a variable alone; a person can write expressions of addresses in the editor")
	}
	return nil
}

// addresses are those of the network that stand in a text.
func addresses(src []byte) []string {
	var all []string
	for _, a := range address.FindAllString(string(src), -1) {
		if !namespaces.MatchString(a) && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}
