// Package element draws what cards are made of and HTML lacks: QR codes,
// barcodes, charts, ratings, tables and countdowns, as plain SVG or HTML.
//
// An element is compiled once (New), from the attributes that the author wrote.
// For each row Data checks the row's value and condenses it to a short text that
// holds everything the picture depends on; a picture's fingerprint is taken over
// it. Markup draws that text, and nothing else: it may come back from a database
// years later.
//
// Markup has no scripts, no addresses and no ids, fits the box it is put into,
// and inherits font and colour. Its classes begin with p-; what a template may
// want to change of its looks is a custom property (--accent, --chart-1 to
// --chart-12, --grid, --code-ink, --code-paper) or a presentation attribute,
// which any rule of CSS overrides.
//
// The room knows no documents, no rows and no browser.
package element
