// Package webhook is the sink that tells an HTTP endpoint, signed after Standard
// Webhooks and in the older X-Pictify-Signature form.
//
// The body is {event, timestamp, data}, the same bytes at every try; webhook-id
// is the same at every try too, and after every restart, so that a receiver can
// tell a repetition. webhook-timestamp is that of the try: receivers refuse a
// signature that is older than five minutes.
//
// 2xx is delivered. 3xx and 410 end the delivery: an endpoint that has moved or
// gone is for a person to change. All else is tried again, 4xx included, since
// receivers are mended while deliveries wait; Retry-After is honoured.
package webhook
