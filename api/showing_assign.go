package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	maxAssigned = 1000
	assignBody  = 4 << 20

	slugNotStarted = "experiment_not_started"
)

// An assignmentsRequest is units that are to be given variants.
type assignmentsRequest struct {
	Units      []unitAsked       `json:"units"`                // 1 to 1000, each a text or an object
	Channel    string            `json:"channel,omitempty"`    // email, where they count from now on, or web, where they count when they are shown it; default: email
	Attributes map[string]string `json:"attributes,omitempty"` // what is known of all of them, for the conditions of a smart link
}

// A unitAsked is a unit, and what is known of it.
type unitAsked struct {
	Unit       string            `json:"unit"`
	Device     string            `json:"device,omitempty"`     // desktop, mobile or tablet
	Country    string            `json:"country,omitempty"`    // two letters
	Attributes map[string]string `json:"attributes,omitempty"` // over those of all
}

// UnmarshalJSON takes a text for the unit itself.
func (a *unitAsked) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		*a = unitAsked{}
		return json.Unmarshal(text, &a.Unit)
	}
	type plain unitAsked
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode((*plain)(a))
}

// An assignmentView is a unit with its variant, and the addresses that are its own.
type assignmentView struct {
	Unit    string `json:"unit"`
	Variant string `json:"variant"` // its id
	Counted bool   `json:"counted"` // it takes part; the others see the control, or the winner
	UnitURLs
}

// An assignmentsView is the answer, in the order of the units.
type assignmentsView struct {
	Experiment  string           `json:"experiment"` // its slug
	Assignments []assignmentView `json:"assignments"`
}

// assignUnits gives units their variants before they are shown them.
func (s *Server) assignUnits(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if e.Status == experiment.Draft {
		return problem.New(problem.Conflict, "the experiment %q is a draft, and gives nobody a variant", e.Slug).WithSlug(slugNotStarted).
			WithHint("POST /experiments/%s/start starts it", e.Slug)
	}
	order, err := readAssignments(w, r)
	if err != nil {
		return err
	}
	assigned, err := s.deps.Exhibit.Assign(r.Context(), e.ID, order)
	if err != nil {
		return err
	}
	view := assignmentsView{Experiment: e.Slug, Assignments: make([]assignmentView, len(assigned))}
	for i, a := range assigned {
		view.Assignments[i] = assignmentView{a.Unit, a.Variant, a.Counted, a.UnitURLs}
	}
	return answer(w, http.StatusOK, view)
}

func readAssignments(w http.ResponseWriter, r *http.Request) (order AssignOrder, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, assignBody))
	if err != nil {
		return order, smallBodyError(err)
	}
	var sent assignmentsRequest
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&sent); err != nil {
		return order, problem.New(problem.Invalid, "the body says no units: %v", err).WithSlug("bad_json").WithHint(`send {"units": ["customer-17"]}`)
	}
	order.Channel = sent.Channel
	if order.Channel == "" {
		order.Channel = experiment.Email
	}
	var list problem.List
	if len(sent.Units) == 0 || len(sent.Units) > maxAssigned {
		list = append(list, problem.New(problem.Invalid, "a call has 1 to %d units, this one has %d", maxAssigned, len(sent.Units)).WithSlug("out_of_range").At("units"))
	}
	if channels := []string{experiment.Email, experiment.Web}; !slices.Contains(channels, order.Channel) {
		list = append(list, problem.New(problem.Invalid, "%q is no channel in which units are assigned", order.Channel).WithSlug("unknown_channel").At("channel").
			WithHint("it is email or web"))
	}
	now := time.Now()
	for i, u := range sent.Units {
		if err := checkUnit(u.Unit); err != nil {
			for _, p := range problem.All(err) {
				list = append(list, p.At(fmt.Sprintf("units[%d]", i)))
			}
		}
		facts := experiment.Facts{Device: u.Device, Country: u.Country, Time: now, Custom: map[string]string{}}
		for _, attributes := range []map[string]string{sent.Attributes, u.Attributes} {
			for name, value := range attributes {
				facts.Custom[name] = value
			}
		}
		order.Units = append(order.Units, AssignUnit{u.Unit, facts})
	}
	return order, list.Err()
}
