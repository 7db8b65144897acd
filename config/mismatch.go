package config

// A mismatch says what a scalar should have been. It never holds the scalar's
// text, so that it may be shown where that text came from the environment.
type mismatch string

func (m mismatch) Error() string { return string(m) }
