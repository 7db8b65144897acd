package blob

import (
	"context"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/internal/s3"
)

// A Request is one that was made to a bucket, and how it ended.
type Request struct {
	Operation string // one of Operations
	Result    string // one of Results
	Took      time.Duration
}

// Operations are what a bucket is asked. Of a get the answer's beginning is the end.
func Operations() []string { return []string{"put", "get", "head", "list", "delete"} }

// The results of requests.
const (
	resultOK       = "ok"
	resultMissing  = "missing"  // there is no such object
	resultRefused  = "refused"  // and time alone does not cure it: a key, a policy, a bucket that is not there
	resultFailed   = "failed"   // no answer, or one that says that another try may help
	resultCut      = "cut"      // the answer of a get broke off after its beginning, which was ok and counted so
	resultCanceled = "canceled" // whoever asked went away
)

// Results are how requests end.
func Results() []string {
	return []string{resultOK, resultMissing, resultRefused, resultFailed, resultCut, resultCanceled}
}

// Observed is a Store that tells of its requests.
type Observed interface {
	// Observe has hear be called after each request, also of those that are made
	// again. It comes before the first of them.
	Observe(hear func(Request))
}

var _ Observed = (*Bucket)(nil)

// Observe implements Observed.
func (b *Bucket) Observe(hear func(Request)) { b.hear = hear }

// heard tells of a request that was begun at began.
func (b *Bucket) heard(operation string, began time.Time, err error) {
	if b.hear != nil {
		b.hear(Request{operation, resultOf(err), time.Since(began)})
	}
}

// heardCut tells that an answer broke off, unless nobody reads it any more.
func (b *Bucket) heardCut(err error) {
	if b.hear != nil && !errors.Is(err, context.Canceled) {
		b.hear(Request{Operation: "get", Result: resultCut})
	}
}

func resultOf(err error) string {
	var f *s3.Failure
	switch {
	case err == nil:
		return resultOK
	case s3.IsMissing(err):
		return resultMissing
	case errors.Is(err, context.Canceled):
		return resultCanceled
	case errors.As(err, &f) && !f.Passing():
		return resultRefused
	}
	return resultFailed
}
