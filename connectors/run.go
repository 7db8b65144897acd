package connectors

import "time"

// RunValues is "run" in addresses and paths, as in "usage-{{ run.month }}.csv":
// the moment for which a source is read and the periods around it, all in the
// zone of at.
//
//	at                           2026-10-01T06:00:00+02:00
//	day, month, year             2026-10-01, 2026-10, 2026
//	previous_day, …_month, …_year  the one before each
//	start, end                   the first moment of the month, and of the next one
//	previous_start               the first moment of the month before; it ends at start
func RunValues(at time.Time) map[string]any {
	const day, month, year = "2006-01-02", "2006-01", "2006"
	first := firstOfMonth(at, 0)
	return map[string]any{
		"at":             at.Format(time.RFC3339),
		"day":            at.Format(day),
		"month":          at.Format(month),
		"year":           at.Format(year),
		"previous_day":   time.Date(at.Year(), at.Month(), at.Day()-1, 12, 0, 0, 0, at.Location()).Format(day),
		"previous_month": firstOfMonth(at, -1).Format(month),
		"previous_year":  time.Date(at.Year()-1, time.July, 1, 0, 0, 0, 0, at.Location()).Format(year),
		"start":          first.Format(time.RFC3339),
		"end":            firstOfMonth(at, 1).Format(time.RFC3339),
		"previous_start": firstOfMonth(at, -1).Format(time.RFC3339),
	}
}

func firstOfMonth(at time.Time, months int) time.Time {
	return time.Date(at.Year(), at.Month()+time.Month(months), 1, 0, 0, 0, 0, at.Location())
}
