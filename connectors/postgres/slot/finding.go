package slot

import (
	"context"
	"errors"
)

// A Finding is one thing that the server was asked about.
type Finding struct {
	Level Level
	What  string // for a person
	SQL   string // that mends it; "" where nothing has to be, or SQL can't
	Hint  string // what else is to be done, or instead
}

// A Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works; a person should look after it
	Error   Level = "error"   // it does not work, or would harm the user's own work
)

// Check looks whether the server can tell of the table's changes, and finds all
// that it can't for at once. Nothing is made or changed. The error is that the
// server can't be asked.
func (k *Keeper) Check(ctx context.Context) ([]Finding, error) {
	return nil, errors.ErrUnsupported
}
