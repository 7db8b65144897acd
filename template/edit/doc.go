// Package edit changes templates by operations: small, validated, described in
// JSON, each with its inverse. The editor, the copilot, the API and the command
// line change documents by these and by nothing else.
//
// An operation names what it changes: a layer by its id, a token, a variable, a
// size, a theme, a page. All that it does not name stays, byte for byte. Applying
// an operation and then its inverse gives the same bytes, for files that a
// person wrote as well as for canonical ones: where saying the opposite would
// not do, the inverse restores the exact text of the one tag, content or piece
// of CSS that was changed, and refuses if that has been changed since.
//
// Apply judges the structure and the safety of what it inserts. Whether the
// result is a template that compiles is judged by template.Parse, which the
// caller runs on it before anything is kept.
package edit
