package api

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/sink"
)

var subscriptionOperations = operations{
	"GET /webhook-subscriptions": {
		id: "listSubscriptions", tag: tagSubscriptions, summary: "All webhook subscriptions",
		query: []queryParam{
			limitParam, {"cursor", "The `nextCursor` of the page before.", anyText()}, {"event", "Only those that hear of this event.", oneOf(sink.Events()...)},
			{"status", "Only those.", oneOf(string(subscriptionActive), string(subscriptionPaused), string(subscriptionDisabled))},
		},
		answers: answers{200: sends("", of[subscriptionList]())},
	},
	"POST /webhook-subscriptions": {
		id: "subscribe", tag: tagSubscriptions, summary: "Subscribe a webhook to events",
		detail:  "Its `secret` is shown this once. A subscription that the key has already is answered with 200, as it is and without its secret.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[subscriptionOrder](), map[string]any{"Images of a binding": json.RawMessage(likeSubscription)}),
		answers: answers{201: oneSubscription.with("Location", "The path of the subscription."), 200: oneSubscription.with("Location", "The path of the subscription.")},
	},
	"GET /webhook-subscriptions/{id}": {
		id: "getSubscription", tag: tagSubscriptions, summary: "A webhook subscription", answers: answers{200: oneSubscription},
	},
	"PUT /webhook-subscriptions/{id}": {
		id: "replaceSubscription", tag: tagSubscriptions, summary: "Make a webhook subscription anew", headers: []string{"IfMatch"},
		detail: "Its id and its secret stay. It holds for what happens from then on; what waits goes to the new address.",
		body:   takes(of[subscriptionOrder](), nil), answers: answers{200: oneSubscription},
	},
	"PATCH /webhook-subscriptions/{id}": {
		id: "patchSubscription", tag: tagSubscriptions, summary: "Change a webhook subscription", headers: []string{"IfMatch"},
		detail: "What is not sent stays as it is.",
		body:   takes(of[subscriptionOrder](), nil), answers: answers{200: oneSubscription},
	},
	"DELETE /webhook-subscriptions/{id}": {
		id: "unsubscribe", tag: tagSubscriptions, summary: "Delete a webhook subscription",
		detail:  "What it was not told yet is never told.",
		answers: answers{204: {about: "It is gone."}},
	},
	"POST /webhook-subscriptions/{id}/pause": {
		id: "pauseSubscription", tag: tagSubscriptions, summary: "Have events wait", headers: []string{"IdempotencyKey"},
		detail: "Nothing is lost: what happens meanwhile is told after `resume`.", answers: answers{200: oneSubscription},
	},
	"POST /webhook-subscriptions/{id}/resume": {
		id: "resumeSubscription", tag: tagSubscriptions, summary: "Go on", headers: []string{"IdempotencyKey"},
		detail: "Also after it was disabled.", answers: answers{200: oneSubscription},
	},
	"POST /webhook-subscriptions/{id}/rotate-secret": {
		id: "rotateSecret", tag: tagSubscriptions, summary: "Make another secret", headers: []string{"IdempotencyKey"},
		detail: "It is shown this once. The one before signs as well for 24 hours.", answers: answers{200: oneSubscription},
	},
	"POST /webhook-subscriptions/{id}/test": {
		id: "testSubscription", tag: tagSubscriptions, summary: "Send one test event", headers: []string{"IdempotencyKey"},
		detail:  "That it did not arrive is an answer like another: `ok` says.",
		body:    mayTake(of[subscriptionTest](), map[string]any{"Another event": json.RawMessage(`{"event":"image.removed"}`)}),
		answers: answers{200: sends("", of[sinkTestView]())},
	},
}

var oneSubscription = sends("", only[newSubscriptionView]("subscription")).tagged("The subscription's revision.")
