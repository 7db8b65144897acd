package api

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/copilot"
)

var copilotOperations = operations{
	"GET /copilot/models": {
		id: "listCopilotModels", tag: tagCopilot, summary: "The models that runs may take",
		detail:  "The default one is the first. `rules` is always there: it is no language model, works without a network, and knows the phrases that it says when it does not understand. Keys are never shown.",
		answers: answers{200: sends("", of[copilotModels]())},
	},
	"POST /copilot/runs": {
		id: "startCopilotRun", tag: tagCopilot, summary: "Ask the copilot to change a template",
		detail: "The answer comes at once; `GET /copilot/runs/{id}/events` tells what happens. The copilot changes the draft alone, one step after the other, each of which can be taken back. " +
			"The key needs `renders:write` too. A template has one open run: another one is a 409 `copilot_busy` that names it.",
		headers: []string{"IdempotencyKey"},
		body: takes(of[copilotOrder](), map[string]any{"A dark theme": json.RawMessage(likeCopilotRun),
			"What is selected": json.RawMessage(`{"template": "banner", "message": "Make it bigger", "layers": ["title"], "model": "rules", "budget": {"seconds": 30}, "rows": {"from": "samples"}}`)}),
		answers: answers{201: sends("", of[copilot.Run]()).with("Location", "The path of the run.")},
	},
	"GET /copilot/runs": {
		id: "listCopilotRuns", tag: tagCopilot, summary: "Runs, the newest first",
		query: []queryParam{{"template", "Only those of this template.", anyText()}, {"after", "Only those behind the run of this id.", anyText()},
			{"limit", "At most so many; 20 where it is missing.", wholeFrom(1, copilotPageMax)}},
		answers: answers{200: sends("", of[copilotRunList]())},
	},
	"GET /copilot/runs/{id}": {id: "getCopilotRun", tag: tagCopilot, summary: "A run as it is now", answers: answers{200: copilotRun}},
	"GET /copilot/runs/{id}/events": {
		id: "watchCopilotRun", tag: tagCopilot, summary: "What happens in a run",
		detail: "Server-sent events from the first one on, whose `id` counts from 1. Who comes back with `Last-Event-ID` (browsers do) gets what follows. The stream ends behind `end`; with `follow=true` it goes on with " +
			"what people say on the steps. `event` is the kind: `run`, `plan`, `text`, `step.start`, `tool`, `look`, `check`, `step`, `candidates`, `variant`, `ask`, `usage`, `end`. docs/copilot.md has the data of each.",
		query:   []queryParam{{"follow", "Go on behind the end of the run.", yesNo()}, {"after", "As `Last-Event-ID`, for who cannot send headers.", wholeFrom(0, 1<<31)}},
		answers: answers{200: streams("One event for each thing that happened.", "text/event-stream", plain(jsonschema.Schema{Type: "object"})), 204: {about: "The run has ended, and nothing follows the last event."}},
	},
	"GET /copilot/runs/{id}/pictures/{name}": {
		id: "getCopilotPicture", tag: tagCopilot, summary: "A picture of a run", detail: "The same for ever.",
		answers: answers{200: files("", "image/png", "image/jpeg", "image/webp", "application/octet-stream").tagged("The digest of the bytes.")},
	},
	"POST /copilot/runs/{id}/cancel": {
		id: "cancelCopilotRun", tag: tagCopilot, summary: "End a run", headers: []string{"IdempotencyKey"},
		detail: "Steps that it took stay, to be reviewed.", answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/answer": {
		id: "answerCopilotRun", tag: tagCopilot, summary: "Answer the question of a run that waits", headers: []string{"IdempotencyKey"},
		body: takes(of[copilotAnswer](), map[string]any{"Yes": json.RawMessage(`{"question": "q1", "answer": "yes"}`)}), answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/accept": {
		id: "acceptCopilotRun", tag: tagCopilot, summary: "Keep all steps that wait", headers: []string{"IdempotencyKey"},
		detail: "Nothing is published by it.", answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/discard": {
		id: "discardCopilotRun", tag: tagCopilot, summary: "Take all steps of a run back", headers: []string{"IdempotencyKey"},
		detail: "The draft is what it was before, but for what others changed. " + conflictOfStep, answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/steps/{n}/accept": {
		id: "acceptCopilotStep", tag: tagCopilot, summary: "Keep a step", headers: []string{"IdempotencyKey"}, answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/steps/{n}/reject": {
		id: "rejectCopilotStep", tag: tagCopilot, summary: "Take a step back", headers: []string{"IdempotencyKey"}, detail: conflictOfStep, answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/steps/{n}/undo": {
		id: "undoCopilotStep", tag: tagCopilot, summary: "Take a step back that was accepted", headers: []string{"IdempotencyKey"}, detail: conflictOfStep, answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/candidates/{name}/pick": {
		id: "pickCopilotCandidate", tag: tagCopilot, summary: "Choose a candidate", headers: []string{"IdempotencyKey"},
		detail: "It becomes a step. Where another one was picked before, that is taken back.", answers: answers{200: copilotRun},
	},
	"POST /copilot/runs/{id}/experiment": {
		id: "testCopilotVariants", tag: tagCopilot, summary: "Make an experiment of a run's variants", headers: []string{"IdempotencyKey"},
		detail:  "A draft of one: the template as it is against each variant, in equal shares. The draft of the template has to be published first: else it is a 409 `not_published`.",
		body:    takes(of[copilotExperiment](), map[string]any{"Clicks": json.RawMessage(likeCopilotExperiment)}),
		answers: answers{201: oneExperiment.with("Location", "The path of the experiment.")},
	},
	"GET /copilot/audit": {
		id: "auditCopilot", tag: tagCopilot, summary: "Who asked the copilot what, and what it cost",
		detail: "The newest first. The calls that a run made are its `tool` events.",
		query: []queryParam{{"template", "Only those of this template.", anyText()}, {"after", "Only those behind the run of this id.", anyText()},
			{"limit", "At most so many; 20 where it is missing.", wholeFrom(1, copilotPageMax)}},
		answers: answers{200: sends("", of[copilotAudit]())},
	},
}

const conflictOfStep = "Where something later changed the same it is a 409 `edit_conflict` with both, and nothing changes."

var copilotRun = sends("", of[copilot.Run]())
