package experiment

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// How much there may be of what.
const (
	shortestSlug, longestSlug = 3, 60
	fewestVariants            = 2
	mostVariants              = 20
	longestName               = 200
	longestText               = 2000
	longestUnit               = 200
	mostUnits                 = 1_000_000_000
)

var (
	slugPattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	variantPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
)

// reserved are no slugs: paths of the service have these names, or may have.
var reserved = []string{"events", "api", "admin", "health", "status", "pixel", "track", "sdk", "click", "assignments"}

// Validate is what is wrong with a completed definition, all of it, each problem at its
// path in the JSON: variants[1].weight. Whether its templates exist it can't know.
func (d Definition) Validate() problem.List {
	c := &check{}
	c.slug(d.Slug)
	if d.Name == "" || utf8.RuneCountInString(d.Name) > longestName {
		c.bad("name", "a name has 1 to %d characters", longestName)
	}
	if utf8.RuneCountInString(d.Hypothesis) > longestText {
		c.bad("hypothesis", "it has more than %d characters", longestText)
	}
	c.oneOf("type", d.Type, ABTest, SmartLink, Scheduled)
	c.variants(d)
	c.goal(d.Goal)
	c.drawn(d)
	c.verdict(d)
	c.oneOf("outputConfig.format", d.Output.Format, "png", "jpeg", "jpg", "webp")
	if d.Output.Quality < 0 || d.Output.Quality > 100 {
		c.bad("outputConfig.quality", "the quality is %d, and goes from 1 to 100", d.Output.Quality)
	}
	if d.FallbackImageURL != "" {
		c.address("fallbackImageUrl", d.FallbackImageURL)
	}
	return c.found
}

// A check gathers problems.
type check struct{ found problem.List }

func (c *check) bad(path, format string, args ...any) {
	c.found = append(c.found, problem.New(problem.Invalid, format, args...).At(path))
}

// hint says what to do about the newest problem, and expecting what could stand there.
func (c *check) hint(format string, args ...any) {
	newest := c.found[len(c.found)-1]
	newest.Hint = fmt.Sprintf(format, args...)
}

func (c *check) expecting(what string) { c.found[len(c.found)-1].Expected = what }

func (c *check) oneOf(path, value string, all ...string) bool {
	if slices.Contains(all, value) {
		return true
	}
	c.bad(path, "%q is none of %s", value, strings.Join(all, ", "))
	c.expecting(strings.Join(all, ", "))
	return false
}

func (c *check) slug(slug string) {
	switch {
	case slug == "":
		c.bad("slug", "the slug is missing")
		c.hint("it stands in the URL of the image: /s/SLUG.png")
	case len(slug) < shortestSlug || len(slug) > longestSlug:
		c.bad("slug", "the slug %q has %d characters, and may have %d to %d", slug, len(slug), shortestSlug, longestSlug)
	case !slugPattern.MatchString(slug):
		c.bad("slug", "the slug %q has other characters than a to z, 0 to 9 and -, or begins with -", slug)
	case slices.Contains(reserved, slug):
		c.bad("slug", "the slug %q is reserved", slug)
		c.hint("take another one than %s", strings.Join(reserved, ", "))
	}
}

func (c *check) variants(d Definition) {
	if n := len(d.Variants); n < fewestVariants || n > mostVariants {
		c.bad("variants", "there are %d variants, and there may be %d to %d", n, fewestVariants, mostVariants)
	}
	sum, first, seen := 0, "", map[string]int{}
	for i, v := range d.Variants {
		at := fmt.Sprintf("variants[%d].", i)
		if before, twice := seen[v.ID]; twice {
			c.bad(at+"id", "variants[%d] has the id %q too", before, v.ID)
		}
		seen[v.ID] = i
		if !variantPattern.MatchString(v.ID) {
			c.bad(at+"id", "the id %q is not 1 to 64 letters, digits, - and _", v.ID)
		}
		if utf8.RuneCountInString(v.Name) > longestName {
			c.bad(at+"name", "it has more than %d characters", longestName)
		}
		if v.Template == "" {
			c.bad(at+"templateUid", "the variant has no template")
		}
		if v.Weight < 0 || v.Weight > Whole {
			c.bad(at+"weight", "the weight is %d, and goes from 0 to %d (basis points)", v.Weight, Whole)
		}
		sum += v.Weight
		switch {
		case v.Control && first == "":
			first = v.ID
		case v.Control:
			c.bad(at+"isDefault", "the variant %q is the default one already", first)
			c.hint("one variant is what all others are compared with")
		}
		c.when(at, d.Type, v)
	}
	if d.Type == ABTest && sum != Whole && len(d.Variants) > 0 {
		c.bad("variants", "the weights sum to %d, and must sum to %d (basis points)", sum, Whole)
		c.hint("leave all of them out for equal shares")
	}
	if first == "" && len(d.Variants) > 0 {
		c.bad("variants", "no variant is the default one")
		c.hint("set isDefault at the one that all others are compared with")
	}
}

// when judges what says when a variant is shown.
func (c *check) when(at, kind string, v Variant) {
	switch {
	case v.Conditions == nil:
		if kind == SmartLink && !v.Control {
			c.bad(at+"conditions", "the variant is never shown: it has no conditions")
		}
	case kind != SmartLink:
		c.bad(at+"conditions", "only variants of a %s have conditions", SmartLink)
	case v.Control:
		c.bad(at+"conditions", "the default variant has none: it is shown where no other's conditions hold")
	default:
		c.found = append(c.found, v.Conditions.validate(at+"conditions", 1)...)
	}
	switch {
	case v.Schedule == nil:
		if kind == Scheduled && !v.Control {
			c.bad(at+"schedule", "the variant is never shown: it has no schedule")
		}
	case kind != Scheduled:
		c.bad(at+"schedule", "only variants of a %s experiment have a schedule", Scheduled)
	case v.Control:
		c.bad(at+"schedule", "the default variant has none: it is shown while it is no other's time")
	default:
		c.found = append(c.found, v.Schedule.validate(at+"schedule")...)
	}
}

func (c *check) goal(g Goal) {
	if !c.oneOf("goalConfig.type", g.Type, GoalClick, GoalConversion, GoalImpressions) {
		return
	}
	switch {
	case g.DestinationURL != "":
		c.address("goalConfig.destinationUrl", g.DestinationURL)
	case g.Type == GoalClick:
		c.bad("goalConfig.destinationUrl", "a click leads nowhere")
		c.hint("say where it leads; it leads nowhere else, whatever a request says")
	}
}

// drawn judges what only makes sense where variants are drawn.
func (c *check) drawn(d Definition) {
	if d.Coverage < 1 || d.Coverage > Whole {
		c.bad("coverage", "the coverage is %d, and goes from 1 to %d (basis points)", d.Coverage, Whole)
	}
	if d.Type != ABTest {
		if d.Coverage != Whole {
			c.bad("coverage", "only an %s covers a part of the units", ABTest)
		}
		if d.Rows {
			c.bad("rows", "only variants of an %s are laid over rows", ABTest)
		}
		if d.Bandit != nil && d.Bandit.Enabled {
			c.bad("banditConfig", "only the weights of an %s can move", ABTest)
		}
	}
	if c.oneOf("rollout", d.Rollout, RolloutManual, RolloutAutomatic); d.Rollout == RolloutAutomatic && (d.Type != ABTest || d.Goal.Type == GoalImpressions) {
		c.bad("rollout", "no winner can be found: that takes an %s with a goal", ABTest)
	}
	if d.Bandit != nil {
		c.bandit(*d.Bandit, d)
	}
}

func (c *check) bandit(b Bandit, d Definition) {
	if b.Enabled && d.Goal.Type == GoalImpressions {
		c.bad("banditConfig", "there is nothing that a bandit could count")
		c.hint("set goalConfig.type to %s or %s", GoalClick, GoalConversion)
	}
	c.oneOf("banditConfig.algorithm", b.Algorithm, ThompsonSampling)
	if b.Warmup < 1 || b.Warmup > mostUnits {
		c.bad("banditConfig.warmupImpressions", "it is %d, and goes from 1 to %d", b.Warmup, mostUnits)
	}
	if b.RecomputeInterval < 1 || b.RecomputeInterval > 24*60 {
		c.bad("banditConfig.recomputeIntervalMinutes", "it is %d, and goes from 1 to %d", b.RecomputeInterval, 24*60)
	}
	if most := 1 / float64(max(1, len(d.Variants))); !(b.Floor > 0 && b.Floor <= most) {
		c.bad("banditConfig.floor", "it is %v, and goes from above 0 to %.4g, an equal share", b.Floor, most)
	}
}

// verdict judges what makes a winner.
func (c *check) verdict(d Definition) {
	if d.MinimumSampleSize < 1 || d.MinimumSampleSize > mostUnits {
		c.bad("minimumSampleSize", "it is %d, and goes from 1 to %d", d.MinimumSampleSize, mostUnits)
	}
	if !(d.ConfidenceThreshold >= 0.8 && d.ConfidenceThreshold <= 0.9999) {
		c.bad("confidenceThreshold", "it is %v, and goes from 0.8 to 0.9999", d.ConfidenceThreshold)
	}
	if !(d.MinimumRunDays > 0 && d.MinimumRunDays <= 365) {
		c.bad("minimumRunDays", "it is %v, and goes from above 0 to 365", d.MinimumRunDays)
	}
	if d.PlannedSampleSize != 0 && (d.PlannedSampleSize < d.MinimumSampleSize || d.PlannedSampleSize > mostUnits) {
		c.bad("plannedSampleSize", "it is %d, and goes from the minimumSampleSize, %d, to %d", d.PlannedSampleSize, d.MinimumSampleSize, mostUnits)
		c.hint("leave it out to go on until there is a winner")
	}
}

// address judges the URL of a place on the web.
func (c *check) address(path, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(text) > longestText:
		c.bad(path, "%q is no URL that begins with https:// or http://", text)
	case u.User != nil:
		c.bad(path, "the URL has a user and a password, which everybody would see")
	}
}

// CheckUnit is what is wrong with the name of a unit: 1 to 200 bytes of UTF-8 without
// control characters.
func CheckUnit(unit string) error {
	switch {
	case unit == "":
		return problem.New(problem.Invalid, "the unit is empty").At("unit").WithHint("it is your id of who sees the image; not an address, which would stand in URLs and logs")
	case len(unit) > longestUnit:
		return problem.New(problem.Invalid, "the unit has %d bytes, and may have %d", len(unit), longestUnit).At("unit")
	case !utf8.ValidString(unit) || strings.ContainsFunc(unit, unicode.IsControl):
		return problem.New(problem.Invalid, "the unit is not UTF-8, or has control characters").At("unit")
	}
	return nil
}

// ControlVariant is the id of the variant that all others are compared with.
func (d Definition) ControlVariant() string {
	for _, v := range d.Variants {
		if v.Control {
			return v.ID
		}
	}
	return ""
}

// Variant is the variant of that id, and its place.
func (d Definition) Variant(id string) (v Variant, place int, ok bool) {
	place = slices.IndexFunc(d.Variants, func(v Variant) bool { return v.ID == id })
	if place < 0 {
		return Variant{}, -1, false
	}
	return d.Variants[place], place, true
}

// Shares are the weights of new units, by place: those that were moved, else those of
// the definition.
func (e Experiment) Shares() []int {
	if len(e.Weights) == len(e.Variants) {
		return e.Weights
	}
	shares := make([]int, len(e.Variants))
	for i, v := range e.Variants {
		shares[i] = v.Weight
	}
	return shares
}
