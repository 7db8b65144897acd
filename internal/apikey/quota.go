package apikey

import (
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// The slugs of spending too much.
const (
	QuotaExceeded = "quota_exceeded"  // it fits again in the next period
	QuotaTooSmall = "quota_too_small" // it will never fit
)

// A Period is the time that a quota is for, as UTC's calendar has it.
type Period string

// The periods.
const (
	Day   Period = "day"
	Month Period = "month"
)

// A Quota is how many images may be asked for in a period. In text it is
// 1000/day or 50000/month; a number alone is for a month. The zero Quota has no
// limit.
type Quota struct {
	Images int64
	Per    Period
}

// maxQuota is far from where sums would overflow.
const maxQuota = 1_000_000_000_000

// ParseQuota reads a quota; "" is none.
func ParseQuota(text string) (Quota, error) {
	if text == "" {
		return Quota{}, nil
	}
	number, per, given := strings.Cut(text, "/")
	if !given {
		per = string(Month)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	period := Period(strings.TrimSpace(per))
	if err != nil || n < 1 || n > maxQuota || (period != Day && period != Month) {
		return Quota{}, problem.New(problem.Invalid, "%q is not a quota of images", text).WithHint("write a number with /day or /month, as in 50000/month")
	}
	return Quota{n, period}, nil
}

// String is the text of q, "" for no limit.
func (q Quota) String() string {
	if q.Images == 0 {
		return ""
	}
	return strconv.FormatInt(q.Images, 10) + "/" + string(q.Per)
}

// MarshalText is String.
func (q Quota) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText is ParseQuota.
func (q *Quota) UnmarshalText(text []byte) (err error) {
	*q, err = ParseQuota(string(text))
	return err
}

// Window is the period of q that now is in: its name, which no other period of
// any quota has, when it began and when the next one begins.
func (q Quota) Window(now time.Time) (name string, began, ends time.Time) {
	y, m, d := now.UTC().Date()
	if q.Per == Day {
		began = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		return began.Format("2006-01-02"), began, began.AddDate(0, 0, 1)
	}
	began = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	return began.Format("2006-01"), began, began.AddDate(0, 1, 0)
}

// A Charge is images that are taken from the quota of an owner. One without a
// quota takes nothing.
type Charge struct {
	Owner  string
	Images int64
	Quota  Quota
}

// Refused is the problem of a charge that does not fit at now, when spent images
// were taken before in the same period. It says when to come again, if ever.
func (c Charge) Refused(spent int64, now time.Time) error {
	if c.Images > c.Quota.Images {
		return problem.New(problem.Forbidden, "these are %d images, and the key's quota is %s", c.Images, c.Quota).
			WithSlug(QuotaTooSmall).WithHint("send fewer, or raise the quota of the key")
	}
	_, _, ends := c.Quota.Window(now)
	return retry.After(problem.New(problem.Forbidden, "these are %d images, and %d of the key's quota of %s are left until %s",
		c.Images, max(0, c.Quota.Images-spent), c.Quota, ends.Format(time.RFC3339)).
		WithSlug(QuotaExceeded).WithHint("send fewer, wait, or raise the quota of the key"), ends.Sub(now))
}
