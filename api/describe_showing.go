package api

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"
)

// showingOperations are what whoever is shown an image of an experiment calls, or
// what is called for them.
var showingOperations = operations{
	"GET /s/{file}": {
		id: "getVariant", tag: tagExperiments, summary: "The image of an experiment",
		detail: "For pages that know nothing of who sees them. A browser on a page of the same site gets a unit of its own, in the cookie `pf_unit`; " +
			"for everybody else the variant is drawn anew each time, and is no exposure. " + shownDetail,
		query: shownParams, headers: []string{"IfNoneMatchETag", "Range"}, public: true,
		answers: shownAnswers,
	},
	"GET /s/{experiment}/{file}": {
		id: "getUnitVariant", tag: tagExperiments, summary: "The image of an experiment, for one unit",
		detail: "The unit keeps the variant that it was given. Without a signature the unit is one of the web, which is given its variant here, durably before the answer. " +
			"`POST /experiments/{id}/assignments`, batches and bindings give signed addresses; a wrong signature gives the control. " + shownDetail,
		query: append([]queryParam{sigParam}, shownParams...), headers: []string{"IfNoneMatchETag", "Range"}, public: true,
		answers: shownAnswers,
	},
	"GET /s/{experiment}/click":        {page: true},
	"GET /s/{experiment}/{unit}/click": {page: true},
	"GET /s/{experiment}/pixel.gif": {
		id: "getPixel", tag: tagExperiments, summary: "An invisible image that says that something was opened",
		detail: "Of the unit in the cookie `pf_unit`. It is kept as a `view`, which is never a goal: mail programs fetch it whether or not somebody looks.",
		public: true, answers: answers{200: files("A GIF of one point.", "image/gif")},
	},
	"GET /s/{experiment}/{unit}/pixel.gif": {
		id: "getUnitPixel", tag: tagExperiments, summary: "An invisible image that says that a unit opened something",
		detail: "It is kept as a `view`, which is never a goal.",
		query:  []queryParam{sigParam}, public: true, answers: answers{200: files("A GIF of one point.", "image/gif")},
	},
	"POST " + eventsPath: {
		id: "sendEvents", tag: tagExperiments, summary: "Say what units did",
		detail: "One event, a list of them, or `events`: up to 100 with the header `X-Write-Key`, which a page may show to everybody and which its `GET /experiments/{id}` gives, " +
			"1,000 times a minute from one address; up to 1,000 with a key of this API that has `experiments:write`. What was taken is durable before the answer.\n\n" +
			"Of each `id` of an experiment there is one event for ever; an `Idempotency-Key` stands for the id of a single event, and for the ids of several with their places. " +
			"The variant is that of the unit's assignment, whatever `variantId` says. A click and the goal count once per unit. " +
			"An event of a mail's unit without its signature counts where the unit came by the signed link of its mail before, or a key of this API sent it; else it is kept as `forged_unit`.",
		headers: []string{"IdempotencyKey"},
		body: takes(either(of[sentEvent](), of[sentEvents](), of[[]sentEvent]()), map[string]any{
			"A purchase": json.RawMessage(`{"events":[{"experiment":"spring-cards","event":"conversion","unit":"customer-17","id":"order-4711"}]}`),
		}),
		scope: ExperimentsWrite, public: true,
		answers: answers{200: sends("`errors` are events that were not taken, by their places; `warnings` those that were, and do not count.", of[eventsView]())},
	},
	"POST /experiments/{id}/assignments": {
		id: "assignUnits", tag: tagExperiments, summary: "Give units their variants, before they are shown them",
		detail: "For mails: each unit keeps its variant for ever, its exposure counts now, and the addresses are signed. Sent again it answers the same. " +
			"With `channel: web` the unit counts when it is shown the image. Units outside of the coverage get the control and are not counted. A draft is a 409 `experiment_not_started`.",
		body: takes(of[assignmentsRequest](), map[string]any{
			"Two customers": json.RawMessage(`{"units":["customer-17",{"unit":"customer-18","attributes":{"plan":"pro"}}],"channel":"email"}`),
		}),
		answers: answers{200: sends("", of[assignmentsView]())},
	},
}

// unitSchema is a text, or an object.
func unitSchema() *jsonschema.Schema {
	texts := &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}}
	text := func(about string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Description: about} }
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {
		Type: "object", Required: []string{"unit"}, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
		Properties: map[string]*jsonschema.Schema{
			"unit": text("Your own id of who is shown the image."), "device": text("Desktop, mobile or tablet."), "country": text("Two letters."), "attributes": texts,
		},
	}}}
}

// sentEvents is several events.
type sentEvents struct {
	Events []sentEvent `json:"events"` // 1 to 100, or 1000
}

const shownDetail = "Bots, previews, mail gateways and browsers that fetch ahead are shown the control and are not counted. " +
	"Where the picture of a variant cannot be shown its fallback is, and counts as that variant. Caches ask each time. " +
	"The format is that of the experiment, whatever the extension says."

var (
	sigParam    = queryParam{paramSign, "The signature of the unit, as its address has it.", anyText()}
	shownParams = []queryParam{
		{paramMode, "`redirect` answers 302 to the address of the bytes, which may be cached for ever.", oneOf("redirect")},
		{customPrefix + "NAME", "What the page says of who sees it, for conditions on `custom.NAME`.", anyText()},
	}
	shownAnswers = func() answers {
		a := inParts(imageBytes.with("X-Variant", "The id of the variant."))
		a[302] = reply{about: "With `mode=redirect`: where the bytes are."}
		return a
	}()
)
