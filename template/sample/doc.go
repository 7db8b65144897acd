// Package sample knows with which rows a template is to be tried: the extremes
// among those that there are, and made ones that are harder still.
//
// It looks at rows as they pass and keeps a few of them, so that a source of any
// length can be looked through.
package sample
