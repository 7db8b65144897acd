// Package backdrop makes backgrounds out of CSS and SVG, without an image model:
// gradients, meshes of soft light, and patterns, in the colours that the template
// has, as operations that put a layer under everything else.
//
// Colours are written as what the template calls them, var(--accent) or currentColor,
// so that every theme has its own shade. How strong a backdrop is follows from
// measuring: it is made weaker until all texts can be read on it, in all sizes and
// themes, with the hardest rows. The same seed gives the same backdrops for the same
// document.
package backdrop
