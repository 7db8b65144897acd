package sheets

import "time"

// Hurry makes the waits between rounds short, for tests.
func Hurry() { between.Base, between.Max = time.Millisecond, 4*time.Millisecond }
