// Package template reads the documents that pictures are made from, checks the
// values that rows give them, and turns both into one HTML page.
//
// A template is an HTML file with a manifest, <script type="application/json"
// id="p-template">, that names its sizes and variables, and with expressions in
// {{ }} in text and attribute values. Everything is decided here, in Go: the
// browser gets a page without scripts, evaluates nothing, and reaches nothing
// but the template's own assets and the remote pictures that the document lists.
//
//	document ──Parse──▶ pieces (text, places, conditions, loops) ──Page──▶ those of one size, theme and page
//	row ──Resolve──▶ Values: one text per place, in the order of the document ──Page.Fill──▶ HTML
//
// Parse finds every place that a value can go to and the kind of text that
// stands there: HTML, a CSS value, a CSS string, an address. Resolve turns a
// row's values into one text per place, and says for each condition and loop
// whether and how often; the fingerprint of a picture is taken over those. Fill
// walks the same pieces, escapes each text for its place and puts it in. No value
// can open or close an element, an attribute, a declaration or a string, whatever
// it contains, and what a value contains is never evaluated.
//
// Around it: template/markup is HTML as a tree that prints as it was read,
// template/edit the operations on it, template/draft their chain between two
// versions, template/element what HTML lacks, template/layout the script that
// fits texts in the page, template/starter the templates that users begin with.
//
// The room knows no rows, no storage and no browser. docs/templates.md describes
// the format for its users.
package template
