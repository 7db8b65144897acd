// Package stats is the arithmetic of experiments: which arm a unit falls into, and
// what counts of units and conversions say about the arms. Its functions are pure,
// and know nothing of images, time or how counts come about.
//
// Nothing here returns NaN or an infinity. What cannot be (more conversions than
// units, a negative count) is clamped, as the comment of its type says, and a number
// that the counts do not determine is absent: the second result is false.
package stats
