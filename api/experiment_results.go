package api

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/experiment"
)

// An experimentResults is all that an experiment has shown so far.
type experimentResults struct {
	Experiment  experimentView   `json:"experiment"`
	Decision    decisionView     `json:"decision"`
	SRM         srmView          `json:"srm"`
	Variants    []variantResult  `json:"variants"`
	Segments    []segmentView    `json:"segments"`    // to look at: no verdict is made of them
	Series      []seriesPoint    `json:"series"`      // each day with all before it
	Allocations []allocationView `json:"allocations"` // the weights of new units, and why they moved
}

// A variantResult is the numbers of one variant.
type variantResult struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	variantStats
}

// A segmentView is what a variant did in one channel by one client.
type segmentView struct {
	Channel     string `json:"channel"`
	Client      string `json:"client"`
	Variant     string `json:"variant"`
	Fetches     int64  `json:"fetches"`
	Exposures   int64  `json:"exposures"`
	Suspects    int64  `json:"suspects"`
	Clicks      int64  `json:"clicks"`
	Conversions int64  `json:"conversions"`
}

// A seriesPoint is how a variant stood at the end of a day.
type seriesPoint struct {
	Day             string   `json:"day"` // 2026-11-27, of UTC
	Variant         string   `json:"variant"`
	Exposures       int64    `json:"exposures"`
	NewExposures    int64    `json:"newExposures"` // of that day
	Conversions     int64    `json:"conversions"`
	Rate            *float64 `json:"rate"`
	Low             *float64 `json:"low"` // of the rate, credible
	High            *float64 `json:"high"`
	ProbabilityBest *float64 `json:"probabilityBest"`
}

// An allocationView is what weights new units had from a time on.
type allocationView struct {
	At      time.Time `json:"at"`
	Weights []int     `json:"weights"`         // basis points, in the order of the variants
	Why     string    `json:"why"`             // start, bandit, rollout, winner or edit
	Seed    string    `json:"seed,omitempty"`  // of a bandit's draws, with which they can be repeated
	Units   []int64   `json:"units,omitempty"` // exposures by variant, of which the draws were made
	Goals   []int64   `json:"goals,omitempty"` // units of them that reached the goal
}

// showResults answers with all that there is to know about an experiment.
func (s *Server) showResults(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	st, err := s.deps.ExperimentDesk.Standing(r.Context(), e, true)
	if err != nil {
		return fmt.Errorf("tell how the experiment %q stands: %w", e.Slug, err)
	}
	one := s.viewOfExperiment(e, st)
	v := experimentResults{
		Experiment: one, Decision: one.Decision, SRM: one.SRM, Variants: []variantResult{}, Segments: segmentsOf(st.Counts),
		Series: []seriesPoint{}, Allocations: []allocationView{},
	}
	for _, variant := range one.Variants {
		v.Variants = append(v.Variants, variantResult{variant.ID, variant.Name, variant.Stats})
	}
	for _, at := range st.Series {
		p := seriesPoint{Day: at.Day.UTC().Format(time.DateOnly), Variant: at.Variant, Exposures: at.Units, NewExposures: at.NewUnits, Conversions: at.Converted}
		if at.Units > 0 {
			p.Rate, p.ProbabilityBest = finite(at.Rate), finite(at.ChanceBest)
			p.Low, p.High = finite(at.Interval[0]), finite(at.Interval[1])
		}
		v.Series = append(v.Series, p)
	}
	for _, a := range st.Allocations {
		view := allocationView{At: a.At.UTC(), Weights: a.Weights, Why: a.Why, Units: a.Units, Goals: a.Goals}
		if a.Seed != 0 {
			view.Seed = strconv.FormatUint(a.Seed, 10) // JavaScript would round it
		}
		v.Allocations = append(v.Allocations, view)
	}
	w.Header().Set("ETag", etagOf(e.Revision))
	return answer(w, http.StatusOK, v)
}

// segmentsOf sums counts up by channel, client and variant.
func segmentsOf(counts []experiment.Counts) []segmentView {
	type place struct{ channel, client, variant string }
	at := map[place]int{}
	all := []segmentView{}
	for _, c := range counts {
		of := place{c.Channel, c.Client, c.Variant}
		i, ok := at[of]
		if !ok {
			i = len(all)
			at[of] = i
			all = append(all, segmentView{Channel: c.Channel, Client: c.Client, Variant: c.Variant})
		}
		one := &all[i]
		one.Fetches += c.Fetches
		one.Exposures += c.Exposures
		one.Suspects += c.Suspects
		one.Clicks += c.Clicks
		one.Conversions += c.Conversions
	}
	slices.SortFunc(all, func(a, b segmentView) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Client, b.Client), cmp.Compare(a.Variant, b.Variant))
	})
	return all
}

// experimentPage is how many lines of an export are read at once.
const experimentPage = 1000

var exportColumns = []string{
	"record", "unit", "variant", "channel", "at", "exposedAt", "clickedAt", "convertedAt", "event", "eventId", "claimedVariant", "device", "referrer", "suspect", "metadata",
}

// exportExperiment sends every assignment and every event as lines of one table.
func (s *Server) exportExperiment(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx := r.Context()
	first, err := s.deps.ExperimentDesk.Assignments(ctx, e.ID, "", experimentPage) // before the answer begins: it may fail
	if err != nil {
		return fmt.Errorf("export the experiment %q: %w", e.Slug, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "experiment-" + e.Slug + ".csv"}))
	h.Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	out.UseCRLF = true
	err = out.Write(exportColumns)
	for page := first; err == nil && len(page) > 0; {
		for _, a := range page {
			if err = out.Write(lineOfAssignment(a)); err != nil {
				break
			}
		}
		if err == nil {
			page, err = s.deps.ExperimentDesk.Assignments(ctx, e.ID, page[len(page)-1].Unit, experimentPage)
		}
	}
	for after, more := int64(0), true; err == nil && more; {
		var page []experiment.Kept
		page, err = s.deps.ExperimentDesk.Events(ctx, e.ID, after, experimentPage)
		for _, one := range page {
			after = one.Seq
			if err = out.Write(lineOfEvent(one)); err != nil {
				break
			}
		}
		more = len(page) > 0
	}
	if out.Flush(); err == nil {
		err = out.Error()
	}
	if err != nil {
		s.log.Error("an export broke off", slog.String("experiment", e.Slug), slog.String("request", requestID(r)), slog.Any("err", err))
		panic(http.ErrAbortHandler) // so that nobody takes what came for all of it
	}
	return nil
}

func lineOfAssignment(a experiment.Assignment) []string {
	return []string{
		"assignment", batch.Harmless(a.Unit), batch.Harmless(a.Variant), a.Channel, timeText(a.At), timeText(a.ExposedAt), timeText(a.ClickedAt), timeText(a.ConvertedAt),
		"", "", "", "", "", "", "",
	}
}

func lineOfEvent(e experiment.Kept) []string {
	return []string{
		"event", batch.Harmless(e.Unit), batch.Harmless(e.Variant), e.Channel, timeText(e.At), "", "", "",
		e.Kind, batch.Harmless(e.ID), batch.Harmless(e.Claimed), batch.Harmless(e.Device), batch.Harmless(e.Referrer), e.Suspect, batch.Harmless(string(e.Metadata)),
	}
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// eraseUnit forgets who a unit is.
func (s *Server) eraseUnit(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.deps.ExperimentDesk.EraseUnit(r.Context(), e.ID, r.PathValue("unit")); err != nil {
		return fmt.Errorf("forget a unit of the experiment %q: %w", e.Slug, err)
	}
	s.log.Info("unit erased over the API", slog.String("experiment", e.Slug), slog.String("by", asker(r.Context()).name))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
