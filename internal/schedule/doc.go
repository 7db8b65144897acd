// Package schedule knows when something is due that a cron line names in a time
// zone. It keeps nothing and reads no clock: whoever asks says which time was the
// last, and what time it is.
//
// A line names times on the clock of its zone, and each of them comes once. One
// that the clock skips comes at the moment of the skip. One that it shows twice
// comes at the first, unless the line runs in every hour: such a one goes by the
// time that passes.
package schedule
