// Package template reads the documents that pictures are made from, checks the
// values that rows give them, and turns both into one HTML page.
//
// A template is an HTML file with a manifest, <script type="application/json"
// id="p-template">, that names its sizes and variables, and with expressions in
// {{ }} in text and attribute values. Everything is decided here, in Go: the
// browser gets a page without scripts, evaluates nothing, and reaches nothing
// but the template's own assets and the remote pictures that the document lists.
//
// Parse finds every place that a value can go to and the kind of text that
// stands there: HTML, a CSS value, a CSS string, an address. Resolve turns a
// row's values into one text per place; the fingerprint of a picture is taken
// over those. Fill escapes each for its place and puts it in. No value can open
// or close an element, an attribute, a declaration or a string, whatever it
// contains, and what a value contains is never evaluated.
//
// The room knows no rows, no storage and no browser.
package template
