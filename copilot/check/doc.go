// Package check judges documents by what they look like, in all their sizes and
// themes and with the rows that are hardest for them. It applies nothing and asks
// nobody: every number is measured, on boxes and on pixels.
//
//	Contrast   how well each text stands out from what is behind it
//	Document   what is wrong with a document as it stands
//	Change     what a change did that it was not allowed to do
//
// Letters are found by drawing a page three more times: with clear letters (what is
// behind them), with white ones and with black ones. White less black is how much
// of each pixel a letter covers, whatever is behind; from that, the page as it is
// and what is behind follows the letter's own colour.
package check
