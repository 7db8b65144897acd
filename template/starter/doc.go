// Package starter has the templates that people begin with: twelve that are
// finished, with real sample rows, and a blank one. They are ordinary templates
// of an ordinary folder, templates/ beside this file; what is here only finds
// them, and copies one under a name of its own with the files that it needs.
//
// A starter's own assets are in assets/NAME/, what they share, fonts with their
// licences, beside those.
package starter
