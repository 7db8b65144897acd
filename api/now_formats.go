package api

import (
	"cmp"
	"fmt"
	"math"
	"net/http"

	"github.com/pictifyd/pictifyd/batch"
	sheet "github.com/pictifyd/pictifyd/internal/paper"
	"github.com/pictifyd/pictifyd/render"
)

// renderGIF makes a moving picture of the CSS animations of html or a template.
func (s *Server) renderGIF(w http.ResponseWriter, r *http.Request) error {
	return s.renderOne(w, r, batch.GIFOrder, func(_ *sitting, v pictureView) (any, error) {
		file, _, err := s.deps.Blobs.Open(r.Context(), v.ContentHash)
		if err != nil {
			return nil, fmt.Errorf("open image %s: %w", v.ContentHash, err)
		}
		defer file.Close()
		length, err := render.GIFLength(file)
		if err != nil {
			return nil, fmt.Errorf("read the length of image %s: %w", v.ContentHash, err)
		}
		return gifAnswer{gifView{v.URL, v.ID, v.Width, v.Height, length.Seconds()}, v}, nil
	})
}

// A gifAnswer is a moving picture in both dialects.
type gifAnswer struct {
	GIF gifView `json:"gif"`
	pictureView
}

// A gifView is a moving picture in the words of the seed's API.
type gifView struct {
	URL    string  `json:"url"`
	UID    string  `json:"uid"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Length float64 `json:"animationLength"` // of one round, in seconds
}

// A pdfView is a PDF in the words of the seed's API.
type pdfView struct {
	Success   bool      `json:"success"`
	PageCount int       `json:"pageCount"`
	Preset    string    `json:"preset"`   // "custom": of no paper
	PageSize  paperSize `json:"pageSize"` // of the first page
	pictureView
}

// renderPDF makes a PDF of html or a template.
func (s *Server) renderPDF(w http.ResponseWriter, r *http.Request) error {
	return s.renderOne(w, r, batch.PDFOrder, viewPDF)
}

// renderPages makes one PDF with the pages of several rows.
func (s *Server) renderPages(w http.ResponseWriter, r *http.Request) error {
	return s.renderOne(w, r, batch.PagesOrder, viewPDF)
}

func viewPDF(st *sitting, v pictureView) (any, error) {
	encoding := st.order.Outputs[0].Encoding
	size := paperSize{Width: float64(v.Width), Height: float64(v.Height)}
	if page, ok := sheet.Named(encoding.Paper); ok {
		size = paperSize{page.Width, page.Height}
		if encoding.Landscape {
			size = paperSize{page.Height, page.Width}
		}
	}
	return pdfView{Success: true, PageCount: st.drawing.PagesOf(st.wants[0]), Preset: cmp.Or(encoding.Paper, "custom"), PageSize: size.rounded(), pictureView: v}, nil
}

// A paperSize is in CSS pixels, 96 to the inch.
type paperSize struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

func (p paperSize) rounded() paperSize {
	return paperSize{math.Round(p.Width*100) / 100, math.Round(p.Height*100) / 100}
}

// A presetView is a paper that has a name.
type presetView struct {
	Name string `json:"name"`
	paperSize
	WidthMM  float64 `json:"widthMm"`
	HeightMM float64 `json:"heightMm"`
}

// listPresets lists the papers.
func (s *Server) listPresets(w http.ResponseWriter, _ *http.Request) error {
	presets := []presetView{}
	for _, name := range sheet.Names() {
		size, _ := sheet.Named(name)
		mm := func(px float64) float64 { return math.Round(px/96*254) / 10 }
		presets = append(presets, presetView{name, paperSize{size.Width, size.Height}.rounded(), mm(size.Width), mm(size.Height)})
	}
	return answer(w, http.StatusOK, map[string][]presetView{"presets": presets})
}
