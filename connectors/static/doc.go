// Package static gives the rows that stand in the configuration itself. A change of
// the configuration is a change of the source: its cursor is good for the same rows
// only.
package static
