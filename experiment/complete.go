package experiment

import (
	"fmt"
	"strings"
)

// What a definition has that says nothing else.
const (
	DefaultSampleSize = 1000
	DefaultConfidence = 0.95
	DefaultRunDays    = 7.0
	DefaultWarmup     = 100
	DefaultRecompute  = 15 // minutes
	DefaultFloor      = 0.01
	DefaultFormat     = "png"
)

// Complete is the definition with all that it does not say filled in. It judges
// nothing, and completing twice changes nothing.
func (d Definition) Complete() Definition {
	if d.Slug == "" {
		d.Slug = slugOf(d.Name)
	}
	if d.Name == "" {
		d.Name = d.Slug
	}
	if d.Type == "" {
		d.Type = ABTest
	}
	if d.Goal.Type == "" {
		d.Goal.Type = GoalConversion
		if d.Goal.DestinationURL != "" {
			d.Goal.Type = GoalClick
		}
	}
	if d.Rollout == "" {
		d.Rollout = RolloutManual
	}
	if d.Output.Format == "" {
		d.Output.Format = DefaultFormat
	}
	d.Coverage = or(d.Coverage, Whole)
	d.MinimumSampleSize = or(d.MinimumSampleSize, DefaultSampleSize)
	d.ConfidenceThreshold = or(d.ConfidenceThreshold, DefaultConfidence)
	d.MinimumRunDays = or(d.MinimumRunDays, DefaultRunDays)
	d.Bandit = d.Bandit.complete()
	d.Variants = completeVariants(d.Type, d.Variants)
	return d
}

func or[T int | int64 | float64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

func (b *Bandit) complete() *Bandit {
	if b == nil {
		return nil
	}
	c := *b
	if c.Algorithm == "" {
		c.Algorithm = ThompsonSampling
	}
	c.Warmup = or(c.Warmup, DefaultWarmup)
	c.RecomputeInterval = or(c.RecomputeInterval, DefaultRecompute)
	c.Floor = or(c.Floor, DefaultFloor)
	return &c
}

// completeVariants gives names to those that have none, makes the first one the control
// where nobody is, and shares the traffic out equally where no weight is given.
func completeVariants(kind string, given []Variant) []Variant {
	variants := append([]Variant(nil), given...)
	controls, weights, taken := 0, 0, map[string]bool{}
	for _, v := range variants {
		taken[v.ID] = true
		weights += v.Weight
		if v.Control {
			controls++
		}
	}
	if controls == 0 && len(variants) > 0 {
		variants[0].Control = true
	}
	next := 'a'
	for i := range variants {
		v := &variants[i]
		for v.ID == "" {
			if id := string(next); next <= 'z' && !taken[id] {
				v.ID = id
			} else if next > 'z' {
				v.ID = fmt.Sprintf("variant-%d", i+1)
			}
			next++
		}
		if v.Name == "" {
			v.Name = v.ID
		}
		if weights == 0 && kind == ABTest {
			v.Weight = equalShare(len(variants), i)
		}
	}
	return variants
}

// equalShare is the weight of the i-th of n variants: what can't be shared out equally
// goes to the first ones.
func equalShare(n, i int) int {
	share := Whole / n
	if i < Whole%n {
		share++
	}
	return share
}

// slugOf makes a slug of a name: "" where too little of it can stand in one.
func slugOf(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := b.String()
	slug = strings.Trim(slug[:min(len(slug), longestSlug)], "-")
	if len(slug) < shortestSlug {
		return ""
	}
	return slug
}
