// Package check judges documents by what they look like, in all their sizes and
// themes and with the rows that are hardest for them. It applies nothing and asks
// nobody: every number is measured, on boxes and on pixels.
//
//	Contrast   how well each text stands out from what is behind it
//	Document   what is wrong with a document as it stands
//	Change     what a change did that it was not allowed to do
//
// Letters are found by drawing a page again: with clear letters, which shows what is
// behind them, and with black or white ones. How far a pixel went from the ground
// to the ink is how much of it a letter covers; from that, the page as it is and
// what is behind follows the letter's own colour.
package check
