package daemon

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/store/blob"
)

// blobMetrics are the figures of requests to the bucket of images.
type blobMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newBlobMetrics() blobMetrics {
	return blobMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_blob_requests_total",
			Help: "Requests to the bucket of images, by operation and how they ended: ok, missing, refused, failed, canceled; cut counts answers besides that began well and broke off.",
		}, []string{"operation", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pictifyd_blob_request_seconds", Help: "Time of a request to the bucket of images until its answer, or the answer's beginning, whatever it says.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"operation"}),
	}
}

func (m blobMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.seconds}
}

// observe has the figures be those of a place. A folder makes no requests.
func (m blobMetrics) observe(place blob.Store) {
	bucket, ok := place.(blob.Observed)
	if !ok {
		return
	}
	for _, operation := range blob.Operations() {
		for _, result := range blob.Results() { // from 0 on, so that the first fault is an increase
			m.requests.WithLabelValues(operation, result)
		}
	}
	bucket.Observe(m.requested)
}

// requested counts one request. What broke off, or nobody waited for, has no time.
func (m blobMetrics) requested(r blob.Request) {
	m.requests.WithLabelValues(r.Operation, r.Result).Inc()
	if r.Result != "cut" && r.Result != "canceled" {
		m.seconds.WithLabelValues(r.Operation).Observe(r.Took.Seconds())
	}
}
