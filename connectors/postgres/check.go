package postgres

import (
	"context"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A checker looks whether a server can tell of changes; it is a slot.Keeper.
type checker interface {
	Check(ctx context.Context) ([]slot.Finding, error)
}

var (
	_ checker            = (*slot.Keeper)(nil)
	_ connectors.Adviser = (*follower)(nil)
)

// Advise implements connectors.Adviser. The error is all that keeps changes from
// being told, each with the SQL that mends it.
func (f *follower) Advise(ctx context.Context) (advice problem.List, err error) {
	c, ok := f.keeper.(checker)
	if !ok {
		return nil, nil
	}
	all, err := c.Check(ctx)
	if err != nil {
		return nil, err
	}
	var wrong problem.List
	for _, finding := range all {
		switch finding.Level {
		case slot.Warning:
			advice = append(advice, finding.Problem())
		case slot.Error:
			wrong = append(wrong, finding.Problem())
		}
	}
	return advice, wrong.Err()
}
