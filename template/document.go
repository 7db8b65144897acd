package template

import "github.com/pictifyd/pictifyd/internal/problem"

// ParseDocument is Parse for a document that comes from a caller and is kept
// under no name. Its default size becomes width by height; where one of them is 0
// it stays as the document says, or 1200 by 630.
func ParseDocument(src []byte, assets map[string]string, width, height int) (*Template, error) {
	t, err := Parse("document", src, assets)
	if err != nil {
		return nil, err
	}
	if width > 0 {
		t.manifest.sizes[0].Width = width
	}
	if height > 0 {
		t.manifest.sizes[0].Height = height
	}
	if size := t.manifest.sizes[0]; size.Width > maxSide || size.Height > maxSide {
		return nil, problem.New(problem.Invalid, "a page of %dx%d is larger than %d pixels", size.Width, size.Height, maxSide).WithSlug(SizeNotFound)
	}
	return t, nil
}
