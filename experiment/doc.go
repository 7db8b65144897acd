// Package experiment chooses the variant of an image that a person is shown, and
// scores the variants by what those people did. It knows no HTTP, no pictures and
// no storage: a Definition says what is compared, Choose answers for one unit, and
// a Report says which variant is better, and how sure that is.
package experiment
