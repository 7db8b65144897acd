package cures

// What a reading of a table by its watermark column needs (pitfall P12).
var (
	// WatermarkLookback reads again what lies shortly before the cursor, for rows that
	// were committed late (postgres: markSQL).
	WatermarkLookback = true
	// WatermarkTies goes on behind a row, not behind its watermark, which others may
	// have too (postgres: keyset.statement).
	WatermarkTies = true
	// WatermarkAhead trusts no watermark that lies ahead of the server's clock
	// (postgres: markSQL).
	WatermarkAhead = true
	// WatermarkLast goes by the last row that was read, not by the clock
	// (postgres: markSQL).
	WatermarkLast = true
	// WatermarkReconcile reads and compares all rows now and then (postgres: source.due).
	WatermarkReconcile = true
)
