package api

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
)

// An experimentList is a list of experiments.
type experimentList struct {
	Experiments []experimentView `json:"experiments"`
}

// An experimentView is an experiment as it is shown.
type experimentView struct {
	ID       string            `json:"id"`
	UID      string            `json:"uid"` // the same
	Revision int64             `json:"revision"`
	Status   experiment.Status `json:"status"`
	experiment.Definition
	Variants []variantView `json:"variants"`

	Origin    string     `json:"origin"` // file or api
	ReadOnly  bool       `json:"readOnly"`
	Retired   bool       `json:"retired,omitempty"` // out of the list: its images are served on
	Author    string     `json:"author,omitempty"`
	CreatedAt time.Time  `json:"createdAt"`
	UpdatedAt time.Time  `json:"updatedAt"`
	StartedAt *time.Time `json:"startedAt"` // null: it never ran
	EndedAt   *time.Time `json:"endedAt"`
	RanDays   float64    `json:"ranDays"`          // without its pauses
	Winner    string     `json:"winner,omitempty"` // what all get, once it is completed

	ReadySince *time.Time     `json:"readySince"` // since when there has been a winner without a break
	WriteKey   string         `json:"writeKey"`   // sends events; it may stand in a web page
	URLs       experimentURLs `json:"urls"`

	SRM      srmView      `json:"srm"`
	Decision decisionView `json:"decision"`
	Excluded excludedView `json:"excluded"`
}

// An experimentURLs is where an experiment is met. {unit} stands for whoever is shown
// the image, percent-encoded.
type experimentURLs struct {
	Image     string `json:"image"`
	UnitImage string `json:"unitImage"`
	Click     string `json:"click"`
	Pixel     string `json:"pixel"`
	Events    string `json:"events"`
}

// A variantView is a variant and how it does.
type variantView struct {
	experiment.Variant
	CurrentWeight int          `json:"currentWeight"`      // of new units
	ImageURL      string       `json:"imageUrl,omitempty"` // of the picture that people are shown; none before the start, and where rows have their own
	Stats         variantStats `json:"stats"`
}

// A variantStats is how a variant does. Numbers that cannot be told yet are null.
type variantStats struct {
	Fetches     int64 `json:"fetches"`   // of the image, all of them
	Exposures   int64 `json:"exposures"` // units that count, each once
	Suspects    int64 `json:"suspects"`  // fetches and clicks of machines, which do not count
	Failures    int64 `json:"failures"`  // times that the fallback stood for it
	Impressions int64 `json:"impressions"`
	Views       int64 `json:"views"`
	Clicks      int64 `json:"clicks"`      // units that clicked, each once
	Conversions int64 `json:"conversions"` // units that reached the goal, each once

	Rate            *float64 `json:"rate"`
	Credible        interval `json:"ci95"` // of the rate, at the confidence of the experiment
	ProbabilityBest *float64 `json:"probabilityBest"`
	ExpectedLoss    *float64 `json:"expectedLoss"` // of choosing it, absolute
	Lift            *float64 `json:"lift"`         // over the control, relative
	LiftInterval    interval `json:"liftInterval"` // always valid: it may be looked at at any time
	P               *float64 `json:"p"`            // always valid
}

// A srmView says whether units are spread over the variants as the weights have it.
type srmView struct {
	P        *float64  `json:"p"`
	OK       bool      `json:"ok"`
	Expected []float64 `json:"expected"` // units by variant
}

// A decisionView is what the numbers say now, and why.
type decisionView struct {
	Verdict          experiment.Verdict `json:"verdict"` // running, no_clear_winner, unhealthy, low_traffic, winner_ready, low_trust or completed
	Ready            bool               `json:"ready"`
	Reasons          []string           `json:"reasons"`
	SuggestedWinner  string             `json:"suggestedWinner,omitempty"`
	DaysLeft         *float64           `json:"daysLeft"`         // about; null: nobody can tell
	NeededPerVariant int64              `json:"neededPerVariant"` // units before there can be a verdict
}

// An excludedView is what does not count, and why.
type excludedView struct {
	Bots       int64 `json:"bots"`       // fetches and clicks by machines
	Prefetch   int64 `json:"prefetch"`   // fetches that a browser made ahead
	Duplicates int64 `json:"duplicates"` // events that were sent before
	Repeats    int64 `json:"repeats"`    // fetches on web pages by units that were counted before
	Unassigned int64 `json:"unassigned"` // events of units that were never shown the image
	Mismatches int64 `json:"mismatches"` // events that named another variant than the unit's: they count for the true one
}

func (s *Server) viewOfExperiment(e experiment.Experiment, st Standing) experimentView {
	v := experimentView{
		ID: e.ID, UID: e.ID, Revision: e.Revision, Status: e.Status, Definition: e.Definition, Variants: []variantView{},
		Origin: e.Origin, ReadOnly: e.Origin == OfFile, Retired: e.Retired, Author: e.Author, CreatedAt: e.CreatedAt.UTC(), UpdatedAt: e.UpdatedAt.UTC(),
		StartedAt: moment(e.StartedAt), EndedAt: moment(e.EndedAt), RanDays: e.RanFor(time.Now()).Hours() / 24, Winner: e.Winner, ReadySince: moment(e.ReadySince),
		WriteKey: st.WriteKey, URLs: s.urlsOfExperiment(e), SRM: viewOfSRM(st.Report.SRM), Decision: viewOfDecision(e, st.Report), Excluded: excludedOf(st),
	}
	stats := statsOf(st.Report)
	for i, one := range e.Definition.Variants {
		view := variantView{Variant: one, CurrentWeight: one.Weight, Stats: stats[one.ID]}
		if i < len(e.Weights) {
			view.CurrentWeight = e.Weights[i]
		}
		if p, ok := st.Pictures[one.ID]; ok {
			view.ImageURL = s.base + "/images/" + p.Hash + "." + p.Ext
		}
		v.Variants = append(v.Variants, view)
	}
	return v
}

func (s *Server) urlsOfExperiment(e experiment.Experiment) experimentURLs {
	ext := cmp.Or(e.Output.Format, "png")
	if ext == "jpeg" {
		ext = "jpg"
	}
	at := s.base + "/s/" + url.PathEscape(e.Slug)
	return experimentURLs{
		Image: at + "." + ext, UnitImage: at + "/{unit}." + ext, Click: at + "/{unit}/click", Pixel: at + "/{unit}/pixel.gif", Events: s.base + "/s/events",
	}
}

// statsOf are the numbers of each variant.
func statsOf(r experiment.Report) map[string]variantStats {
	all := map[string]variantStats{}
	for _, one := range r.Variants {
		v := variantStats{
			Fetches: one.Fetches, Exposures: one.Exposures, Suspects: one.Suspects, Failures: one.Failures, Impressions: one.Impressions, Views: one.Views,
			Clicks: one.Clicks, Conversions: one.Conversions, Lift: one.Lift, P: one.P,
		}
		if one.LiftInterval != nil {
			v.LiftInterval = finitePair(*one.LiftInterval)
		}
		if one.Units > 0 {
			v.Rate, v.Credible = finite(one.Rate), finitePair(one.Interval)
			v.ProbabilityBest, v.ExpectedLoss = finite(one.ChanceBest), finite(one.Loss)
		}
		all[one.ID] = v
	}
	return all
}

func viewOfSRM(s experiment.SampleRatio) srmView {
	v := srmView{OK: s.OK, P: finite(s.P), Expected: s.Expected}
	if v.Expected == nil {
		v.Expected = []float64{}
	}
	return v
}

func viewOfDecision(e experiment.Experiment, r experiment.Report) decisionView {
	v := decisionView{Verdict: r.Status, Ready: r.Status == experiment.WinnerReady, Reasons: r.Reasons, NeededPerVariant: r.Needed}
	if v.Reasons == nil {
		v.Reasons = []string{}
	}
	if v.Ready {
		v.SuggestedWinner = r.Best
	}
	if r.DaysLeft > 0 && e.Status == experiment.Running {
		v.DaysLeft = finite(r.DaysLeft)
	}
	return v
}

// seenBy are the clients behind which a unit sees an image.
var seenBy = []string{experiment.Other, experiment.Gmail, experiment.Apple, experiment.Yahoo}

func excludedOf(st Standing) excludedView {
	v := excludedView{Bots: st.Report.Excluded.Bots, Prefetch: st.Report.Excluded.Prefetch, Duplicates: st.Report.Excluded.Duplicates}
	for _, c := range st.Counts {
		if c.Channel == experiment.Web && slices.Contains(seenBy, c.Client) {
			v.Repeats += max(0, c.Fetches-c.Exposures-c.Suspects)
		}
		v.Unassigned += c.Unassigned
		v.Mismatches += c.Mismatches
	}
	return v
}

// finite is a number that JSON has a form for; nil of others.
func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// An interval is two numbers, or null.
type interval []float64

func finitePair(x [2]float64) interval {
	if finite(x[0]) == nil || finite(x[1]) == nil {
		return nil
	}
	return x[:]
}
