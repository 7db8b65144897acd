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
	// maxFrames is how many documents may be inside one page. None of them shows
	// anything, and each costs Chrome as much as a tab.
	maxFrames = 20
	// maxAssets is how many files one page may name.
	maxAssets = 1000
)

// SlugRenderComplex is the slug of a page that has too many parts.
const SlugRenderComplex = "render_complex"

// checkParts refuses, before Chrome sees it, a page with more elements, frames or
// files than one may have. Each sheet of a PDF is a page.
func checkParts(r render.Request) error {
	if n := len(r.Assets); n > maxAssets {
		return tooComplex("show fewer rows of a loop on one page", "the page names %d files, more than %d", n, maxAssets)
	}
	for _, sheet := range sheetsOf(r) {
		if err := checkMarkup(sheet.HTML); err != nil {
			return err
		}
	}
	return nil
}

func checkMarkup(html string) error {
	switch elements, frames := count(html); {
	case elements > maxElements:
		return tooComplex("show fewer rows of a loop on one page", "the page has %d elements, more than %d", elements, maxElements)
	case frames > maxFrames:
		return tooComplex("take them out of the template: they are never shown", "the page has %d frames, more than %d", frames, maxFrames)
	}
	return nil
}

func tooComplex(hint, format string, args ...any) error {
	return retry.Permanent(problem.New(problem.TooLarge, format, args...).WithSlug(SlugRenderComplex).WithHint("%s", hint))
}

// count is about how many elements a document has, and how many of them hold
// other documents: how often a tag may begin in it. Text has none, for it comes
// escaped.
func count(html string) (elements, frames int) {
	for {
		at := strings.IndexByte(html, '<')
		if at < 0 || at+1 == len(html) {
			return elements, frames
		}
		html = html[at+1:]
		c := html[0] | 0x20
		if c < 'a' || 'z' < c {
			continue
		}
		elements++
		if (c == 'i' || c == 'f' || c == 'o' || c == 'e') && holdsDocument(html) {
			frames++
		}
	}
}

// holdsDocument reports whether a tag is that of an element with another document.
func holdsDocument(tag string) bool {
	for _, name := range []string{"iframe", "frame", "object", "embed"} {
		if len(tag) >= len(name) && strings.EqualFold(tag[:len(name)], name) {
			return true
		}
	}
	return false
}
