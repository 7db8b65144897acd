// Package markup reads HTML as a tree that prints as it was read, byte for byte,
// and edits it in place. It knows tags, attributes, {{ expressions }} and where
// each of them stands; what they mean is the template's business.
//
// golang.org/x/net/html finds the tokens. Its parser is not used: it rewrites
// what it reads. The tree here follows the same rules for which element ends
// where, as far as documents need that are written by hand, and keeps the bytes
// of everything, so that a mistake about the structure never changes a document.
package markup
