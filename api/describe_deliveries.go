package api

import (
	"encoding/json"
)

var deliveryOperations = operations{
	"GET /deliveries": {
		id: "listDeliveries", tag: tagDeliveries, summary: "What sinks were told, or will be",
		detail: "Newest first. What arrived is kept until something newer of the same row has arrived, a dead letter until somebody replays or discards it. " +
			"Those of jobs are seen with a key that may read renders.",
		query:   append(append([]queryParam{}, letterParams...), queryParam{"state", "Only those that stand so.", oneOf(deliveryStates...)}, queryParam{"after", "The `next` of the page before.", anyText()}, limitParam),
		answers: answers{200: sends("", of[deliveryPage]())},
	},
	"GET /deliveries/{id}": {
		id: "getDelivery", tag: tagDeliveries, summary: "A delivery with every attempt",
		detail:  "What it tells is kept until it has arrived. Attempts keep their numbers when it is replayed.",
		answers: answers{200: oneDelivery},
	},
	"POST /deliveries/{id}/replay": {
		id: "replayDelivery", tag: tagDeliveries, summary: "Try a delivery again",
		detail: "A dead letter has all its attempts again; one that arrived is told once more, with the pictures that its row has now. The id stays the same. " +
			"A dead letter older than what has arrived since of the same row ends as `superseded`.",
		headers: []string{"IdempotencyKey"}, answers: answers{202: oneDelivery},
	},
	"POST /deliveries/{id}/discard": {
		id: "discardDelivery", tag: tagDeliveries, summary: "Give a dead letter up", headers: []string{"IdempotencyKey"},
		body:    takes(of[discardRequest](), map[string]any{"Why": json.RawMessage(`{"reason":"the shop is closed"}`)}),
		answers: answers{200: oneDelivery},
	},
	"GET /dead-letters": {
		id: "listDeadLetters", tag: tagDeliveries, summary: "Dead letters by what they died of",
		detail:  "Those of one sink that died of the same error are a group, whatever ids, numbers and quoted texts stand in it. The largest group is first. `GET /deliveries?cause=…` lists a group.",
		query:   append(append([]queryParam{}, letterParams...), limitParam),
		answers: answers{200: sends("", only[[]letterGroup]("groups"))},
	},
	"POST /dead-letters/replay": {
		id: "replayDeadLetters", tag: tagDeliveries, summary: "Try many dead letters again",
		detail:  "Those of which all that the body says is true. A cause or ids of which there is none any more are a 404.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[letterSelection](), map[string]any{"A group": json.RawMessage(`{"cause":"cause_tdmy5qr4zduwjwsx"}`), "Since an incident": json.RawMessage(`{"sink":"shop_hook","since":"2026-10-01T08:00:00Z"}`)}),
		answers: answers{202: sends("", of[replayedView]())},
	},
	"POST /dead-letters/discard": {
		id: "discardDeadLetters", tag: tagDeliveries, summary: "Give many dead letters up",
		detail: "For a reason, which is kept with who gave it.", headers: []string{"IdempotencyKey"},
		body:    takes(of[letterDiscard](), map[string]any{"A group": json.RawMessage(`{"cause":"cause_tdmy5qr4zduwjwsx","reason":"these products are no longer sold"}`)}),
		answers: answers{200: sends("", of[discardedView]())},
	},
	"POST /sinks/{name}/pause": {
		id: "pauseSink", tag: tagConnections, summary: "Send a sink nothing", detail: "What is planned for it waits, also after a restart; what is on its way arrives.",
		headers: []string{"IdempotencyKey"}, answers: answers{200: oneSink},
	},
	"POST /sinks/{name}/resume": {
		id: "resumeSink", tag: tagConnections, summary: "Let a sink go on", detail: "Also one that rests or was disabled. What waits goes out at once.",
		headers: []string{"IdempotencyKey"}, answers: answers{200: oneSink},
	},
	"POST /sinks/{name}/redeliver": {
		id: "redeliver", tag: tagConnections, summary: "Tell a sink again what it was told last",
		detail: "For a receiver that has lost what it knew. Each row's newest delivery is sent again under its id, so that a receiver which remembers ids drops it: `newIds` is for those. " +
			"Dead letters are not among them: they are replayed.",
		headers: []string{"IdempotencyKey"},
		body:    mayTake(of[redelivery](), map[string]any{"Since a backup": json.RawMessage(`{"since":"2026-10-01T02:00:00Z"}`), "One row": json.RawMessage(`{"binding":"product-cards","key":"SKU-1"}`)}),
		answers: answers{202: sends("", of[redeliveredView]())},
	},
}

var (
	oneDelivery  = sends("", only[deliveryDetail]("delivery"))
	letterParams = []queryParam{
		{"sink", "Only those to this sink; `job:ID` and `rows:ID` are the webhook of a job.", anyText()},
		{"binding", "Only those of this binding.", anyText()}, {"job", "Only those of this job.", anyText()},
		{"key", "Only those of rows with this key.", anyText()},
		{"event", "Only those that tell this.", anyText()}, {"cause", "Only dead letters of this cause.", anyText()},
		{"since", "Only those that ended then or later, or wait and came then or later: a time, a day, or how long ago, as in `2h`.", anyText()},
	}
)
