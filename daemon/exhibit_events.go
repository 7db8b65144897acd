package daemon

import (
	"context"
	"crypto/rand"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Why an event does not count.
const (
	forgedUnit  = "forged_unit"  // a mail's unit, without the signature that its mail has
	tooSoon     = "too_soon"     // a gateway follows the links of a mail as it passes through
	whilePaused = "while_paused" // nothing counts then
)

// gatewayHaste is how soon after a mail was made only machines click on it.
const gatewayHaste = 2 * time.Second

// Click implements api.Exhibit. A click that cannot be written down leads on all the
// same: whoever clicked wants to get there.
func (x *exhibit) Click(ctx context.Context, name string, v api.Visit) (destination string, err error) {
	s, err := x.of(name)
	if err != nil {
		return "", err
	}
	if s.Goal.DestinationURL == "" {
		return "", problem.New(problem.NotFound, "the experiment %q leads nowhere: it has no destination", s.Slug).WithSlug("no_destination").
			WithHint("set goalConfig.destinationUrl")
	}
	to, err := url.Parse(s.Goal.DestinationURL)
	if err != nil {
		return "", problem.New(problem.NotFound, "the destination of experiment %q is no address", s.Slug).WithSlug("no_destination")
	}
	if err := x.signedRight(s, v.Unit, v.Signature); err != nil {
		return "", err
	}
	query := to.Query()
	query.Set("px_exp", s.Slug)
	if v.Unit != "" {
		query.Set("px_unit", v.Unit)
		x.daemon.faults.note(x.daemon.log, "experiments", "clicks", x.happened(ctx, s, v, experiment.Click))
	}
	to.RawQuery = query.Encode()
	return to.String(), nil
}

// View implements api.Exhibit.
func (x *exhibit) View(ctx context.Context, name string, v api.Visit) error {
	s, err := x.of(name)
	if err != nil || v.Unit == "" {
		return err
	}
	if v.Signature != "" && !x.keys.signed(s.ID, v.Unit, v.Signature) {
		return nil // the pixel is shown, and says nothing
	}
	x.daemon.faults.note(x.daemon.log, "experiments", "views", x.happened(ctx, s, v, experiment.View))
	return nil
}

// signedRight refuses a signature that is not that of the unit; none is no wrong one.
func (x *exhibit) signedRight(s *stand, unit, signature string) error {
	if signature == "" || x.keys.signed(s.ID, unit, signature) {
		return nil
	}
	return problem.New(problem.Forbidden, "the signature is not that of this unit").WithSlug("signature_invalid").
		WithHint("use the address as POST /experiments/%s/assignments or the batch gave it, byte for byte", s.Slug)
}

// happened takes in what a visit did, durably.
func (x *exhibit) happened(ctx context.Context, s *stand, v api.Visit, kind string) error {
	now := time.Now()
	known, ok, err := x.known(ctx, s, v.Unit)
	if err != nil {
		return err
	}
	e := experiment.Event{
		Experiment: s.ID, ID: kind + "_" + rand.Text(), Kind: kind, Unit: v.Unit, Channel: experiment.Web, Device: v.Facts.Device, At: now,
	}
	if ok {
		e.Channel = known.channel
	}
	switch mailed := ok && known.channel == experiment.Email; {
	case !v.Client.Countable:
		e.Suspect = v.Client.Reason
	case mailed && v.Signature == "":
		e.Suspect = forgedUnit
	case mailed && kind == experiment.Click && now.Sub(known.at) < gatewayHaste:
		e.Suspect = tooSoon
	case s.Status == experiment.Paused:
		e.Suspect = whilePaused
	}
	// Whoever clicked may have gone on before it is written down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	_, err = x.events.do(ctx, e)
	if err == nil {
		x.daemon.crash("event.taken")
	}
	return err
}

// TakeEvents implements api.Exhibit.
func (x *exhibit) TakeEvents(ctx context.Context, call api.EventCall) ([]api.EventTaken, error) {
	answers, fitting := make([]api.EventTaken, len(call.Events)), call.Trusted
	stands := make([]*stand, len(call.Events))
	for i, e := range call.Events {
		s, err := x.of(e.Experiment)
		switch {
		case err != nil:
			answers[i].Err = err
		case !call.Trusted && !x.keys.mayWrite(s.ID, call.WriteKey):
			answers[i].Err = problem.New(problem.Forbidden, "the write key is not that of experiment %q", e.Experiment).WithSlug("write_key_invalid").
				WithHint("GET /experiments/%s shows it as writeKey", e.Experiment)
		default:
			fitting, stands[i] = true, s
			answers[i].Err = x.signedRight(s, e.Unit, e.Signature)
		}
	}
	if !fitting {
		return nil, refusedAll(answers)
	}
	clicked, err := x.unsignedMails(ctx, call, stands, answers)
	if err != nil {
		return nil, err
	}
	var events []experiment.Event
	var places []int
	now := time.Now()
	for i, sent := range call.Events {
		if answers[i].Err != nil {
			continue
		}
		e := sent.Event
		e.Experiment = stands[i].ID
		if e.At.IsZero() {
			e.At = now
		}
		switch {
		case stands[i].Status == experiment.Paused:
			e.Suspect = whilePaused
		case clicked[unitOf{e.Experiment, e.Unit}] == forged:
			e.Suspect = forgedUnit
		}
		events, places = append(events, e), append(places, i)
	}
	taken, err := x.events.do(ctx, events...)
	if err != nil {
		return nil, err
	}
	x.daemon.crash("event.taken")
	for n, i := range places {
		answers[i].Taken = taken[n]
	}
	return answers, nil
}

// refusedAll is the answer to a call of which nothing can be taken: that its key is
// wrong, before that there is no such experiment.
func refusedAll(answers []api.EventTaken) error {
	for _, a := range answers {
		if problem.CodeOf(a.Err) == problem.Forbidden {
			return a.Err
		}
	}
	return answers[0].Err
}

type unitOf struct{ experiment, unit string }

const forged = "forged"

// unsignedMails are the units of mails in whose name a page reports something without
// their signature. Where the unit came by the signed link of its mail it may: the
// page that it came to does not have the signature. Else whoever can guess a unit and
// read the page's key would make it count.
func (x *exhibit) unsignedMails(ctx context.Context, call api.EventCall, stands []*stand, answers []api.EventTaken) (map[unitOf]string, error) {
	if call.Trusted {
		return nil, nil
	}
	asked := map[string][]string{}
	for i, e := range call.Events {
		if answers[i].Err == nil && e.Signature == "" {
			asked[stands[i].ID] = append(asked[stands[i].ID], e.Unit)
		}
	}
	suspects := map[unitOf]string{}
	for id, units := range asked {
		found, err := x.daemon.store.Assigned(ctx, id, units)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			if a.Channel == experiment.Email && a.ClickedAt.IsZero() {
				suspects[unitOf{id, a.Unit}] = forged
			}
		}
	}
	return suspects, nil
}
