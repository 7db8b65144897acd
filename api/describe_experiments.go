package api

import "encoding/json"

var experimentOperations = operations{
	"GET /experiments": {
		id: "listExperiments", tag: tagExperiments, summary: "All experiments, the newest first",
		detail:  "Those that were removed after they had run are not among them; their images are served on.",
		query:   []queryParam{{"status", "Only those.", oneOf("draft", "running", "paused", "completed")}},
		answers: answers{200: sends("", of[experimentList]())},
	},
	"POST /experiments": {
		id: "createExperiment", tag: tagExperiments, summary: "Make an experiment",
		detail:  "It is a draft until it is started. Weights are basis points and are 10000 together.",
		headers: []string{"IdempotencyKey"},
		body:    takes(of[experimentOrder](), map[string]any{"Two banners": json.RawMessage(likeExperiment)}),
		answers: answers{201: oneExperiment.with("Location", "The path of the experiment.")},
	},
	"GET /experiments/{id}": {
		id: "getExperiment", tag: tagExperiments, summary: "An experiment and how it stands", answers: answers{200: oneExperiment},
	},
	"PATCH /experiments/{id}": {
		id: "changeExperiment", tag: tagExperiments, summary: "Change an experiment", headers: []string{"IfMatch"},
		detail: "What is not sent stays as it is; `variants` are sent whole. Of one that has begun only the name, the hypothesis, the threshold, the days, the destination of clicks and a higher coverage may change: " +
			"anything else would compare what is not the same. That is a 409 `frozen_field`.",
		body: takes(of[experimentOrder](), map[string]any{"Another destination": json.RawMessage(`{"goalConfig": {"destinationUrl": "https://shop.example/summer"}}`)}), answers: answers{200: oneExperiment},
	},
	"DELETE /experiments/{id}": {
		id: "removeExperiment", tag: tagExperiments, summary: "Remove an experiment", headers: []string{"IfMatch"},
		detail:  "A draft is gone. One that has ended leaves the list, and its images are served on, since they are embedded in mails and pages. One that runs or is paused is a 409: complete it first.",
		answers: answers{204: {about: "It is gone."}},
	},
	"POST /experiments/{id}/start": {
		id: "startExperiment", tag: tagExperiments, summary: "Start a draft", headers: []string{"IdempotencyKey", "IfMatch"},
		detail: "Its pictures are made first: what can't be made is a 422, and nothing has started. " + invalidMove, answers: answers{200: oneExperiment},
	},
	"POST /experiments/{id}/pause": {
		id: "pauseExperiment", tag: tagExperiments, summary: "Let nobody new in, and count nothing", headers: []string{"IdempotencyKey", "IfMatch"},
		detail: "Units that were assigned keep their variant; others get the control. " + invalidMove, answers: answers{200: oneExperiment},
	},
	"POST /experiments/{id}/resume": {
		id: "resumeExperiment", tag: tagExperiments, summary: "Go on", headers: []string{"IdempotencyKey", "IfMatch"},
		detail: invalidMove, answers: answers{200: oneExperiment},
	},
	"POST /experiments/{id}/complete": {
		id: "completeExperiment", tag: tagExperiments, summary: "End it: one variant for all, for ever", headers: []string{"IdempotencyKey", "IfMatch"},
		detail:  "While the numbers do not name a winner it is a 409 `minimum_not_reached` with the reasons, unless `force` says that a person knows better. " + invalidMove,
		body:    mayTake(of[endRequest](), map[string]any{"A winner": json.RawMessage(`{"winnerVariantId":"offer"}`), "Against the numbers": json.RawMessage(`{"winnerVariantId":"plain","force":true}`)}),
		answers: answers{200: oneExperiment},
	},
	"POST /experiments/{id}/rollout": {
		id: "rolloutExperiment", tag: tagExperiments, summary: "Move the weights of new units", headers: []string{"IdempotencyKey", "IfMatch"},
		detail:  "Units that were assigned keep their variant. " + invalidMove,
		body:    takes(of[rolloutRequest](), map[string]any{"Most get the offer": json.RawMessage(`{"weights":{"plain":1000,"offer":9000}}`)}),
		answers: answers{200: oneExperiment},
	},
	"GET /experiments/{id}/results": {
		id: "getExperimentResults", tag: tagExperiments, summary: "All that it has shown so far",
		detail:  "The verdict with its reasons, the numbers of each variant, by channel and client, day by day, and the weights that there were.",
		answers: answers{200: sends("", of[experimentResults]()).tagged("The experiment's revision.")},
	},
	"GET /experiments/{id}/export.csv": {
		id: "exportExperiment", tag: tagExperiments, summary: "Every assignment and every event",
		detail:  "One line each: `record` says which of the two. Assignments come first, by unit; then events, in the order in which they came.",
		answers: answers{200: files("", "text/csv")},
	},
	"DELETE /experiments/{id}/units/{unit}": {
		id: "eraseUnit", tag: tagExperiments, summary: "Forget who a unit is",
		detail:  "The text of the unit goes, from its assignment and its events. What it did stays counted.",
		answers: answers{204: {about: "It is forgotten."}},
	},
}

const invalidMove = "What its status does not take is a 409 `invalid_transition` that says what it takes."

var oneExperiment = sends("", only[experimentView]("experiment")).tagged("The experiment's revision.")
