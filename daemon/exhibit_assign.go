package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
)

// Assign implements api.Exhibit. What goes out by mail counts from here on: whether a
// mail is opened nobody can know.
func (x *exhibit) Assign(ctx context.Context, name string, order api.AssignOrder) ([]api.Assigned, error) {
	s, err := x.of(name)
	if err != nil {
		return nil, err
	}
	units := make([]string, len(order.Units))
	for i, u := range order.Units {
		units[i] = u.Unit
	}
	found, err := x.daemon.store.Assigned(ctx, s.ID, units)
	if err != nil {
		return nil, err
	}
	known := make(map[string]experiment.Assignment, len(found))
	for _, a := range found {
		known[a.Unit] = a
	}
	meetings, now := []experiment.Meeting(nil), time.Now()
	answers := make([]api.Assigned, len(order.Units))
	for i, u := range order.Units {
		answers[i] = api.Assigned{Unit: u.Unit, Variant: s.last(), UnitURLs: x.daemon.unitURLs(s.Experiment, u.Unit)}
		a, ok := known[u.Unit]
		if ok && !s.over() {
			answers[i].Variant, answers[i].Counted = a.Variant, true
		}
		if !s.running() || ok && (!a.ExposedAt.IsZero() || order.Channel == experiment.Web) {
			continue
		}
		if !ok {
			answers[i].Variant, answers[i].Counted = s.chooser.Choose(u.Unit, u.Facts)
		}
		if answers[i].Counted {
			meetings = append(meetings, experiment.Meeting{
				Assignment: experiment.Assignment{Experiment: s.ID, Unit: u.Unit, Variant: answers[i].Variant, Channel: order.Channel, At: now},
				Exposed:    order.Channel == experiment.Email, Client: clientPlanned,
			})
		}
	}
	met, err := x.meetings.do(ctx, meetings...)
	if err != nil {
		return nil, err
	}
	given := make(map[string]string, len(met))
	for _, a := range met {
		given[a.Unit] = a.Variant
	}
	for i := range answers {
		if variant, ok := given[answers[i].Unit]; ok {
			answers[i].Variant = variant
		}
	}
	return answers, nil
}

// clientPlanned is the client of units that were assigned before they were shown anything.
const clientPlanned = "planned"
