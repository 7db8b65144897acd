// Package pdf takes apart and puts together PDF files as Chrome writes them. It
// reads the plain form (a cross-reference table, objects of generation 0, no
// encryption) and refuses any other, so that it never guesses. What it writes
// depends on nothing but the pages: no date, no random id, resources named in the
// order in which a page uses them, fonts with the glyphs that are shown. So a page
// comes out the same whether it was printed alone or among others.
package pdf
