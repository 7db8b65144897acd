package daemon

import (
	"io"
	"iter"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/render/pdf"
)

// mergePDF makes one PDF of those of many rows.
func mergePDF(w io.Writer, parts iter.Seq2[api.PDFPart, error]) error {
	return pdf.Merge(w, pdf.Info{}, func(yield func(pdf.Part, error) bool) {
		for part, err := range parts {
			if !yield(pdf.Part(part), err) {
				return
			}
		}
	})
}
