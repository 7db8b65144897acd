// Package rendertest holds what tests of renderers, and tests beside them, need:
// Null, a renderer without pixels, and Run, the suite that every renderer passes.
package rendertest
