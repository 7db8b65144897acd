package chrome

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

const (
	// maxElements is what one page may have. A table of 4,000 rows and 10 columns
	// is within it; ten times as many take Chrome seconds to lay out.
	maxElements = 50_000
	// maxAssets is how many files one page may name.
	maxAssets = 1000
)

// SlugRenderComplex is the slug of a page that has too many parts.
const SlugRenderComplex = "render_complex"

// checkParts refuses, before Chrome sees it, a page with more elements or files
// than one may have.
func checkParts(r render.Request) error {
	for _, s := range sheetsOf(r) {
		if n := elements(s.HTML); n > maxElements {
			return retry.Permanent(problem.New(problem.TooLarge, "the page has %d elements, more than %d", n, maxElements).
				WithSlug(SlugRenderComplex).WithHint("show fewer rows of a loop on one page"))
		}
	}
	if n := len(r.Assets); n > maxAssets {
		return retry.Permanent(problem.New(problem.TooLarge, "the page names %d files, more than %d", n, maxAssets).
			WithSlug(SlugRenderComplex).WithHint("show fewer rows of a loop on one page"))
	}
	return nil
}

// elements is about how many elements a document has: how often a tag may begin
// in it. Text has none, for it comes escaped.
func elements(html string) (n int) {
	for {
		at := strings.IndexByte(html, '<')
		if at < 0 || at+1 == len(html) {
			return n
		}
		html = html[at+1:]
		if c := html[0] | 0x20; 'a' <= c && c <= 'z' {
			n++
		}
	}
}
