package render

// A Print says how a page becomes the pages of a PDF. The zero value prints
// each page of the document in its own size, Width by Height CSS pixels at 96
// to the inch, without margins.
type Print struct {
	Paper     string     // a preset's name: a4, letter, …; "" is the document's own size
	Landscape bool       // the paper lies on its side
	Margins   [4]float64 // top, right, bottom, left in CSS pixels
	Title     string     // in the file's properties
}
