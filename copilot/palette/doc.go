// Package palette works on the colours of a template: it gives literal colours the
// names of tokens, and makes a dark theme of a light one.
//
// Both say by which operations, and apply nothing. Neither changes a pixel of the
// picture without a theme.
package palette
