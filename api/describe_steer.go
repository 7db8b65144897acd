package api

import "github.com/pictifyd/pictifyd/batch"

// steerOperations are the doors by which jobs are watched row by row and steered.
var steerOperations = operations{
	"GET /jobs/{id}/rows/{key}": {
		id: "getJobRow", tag: tagJobs, summary: "One row by its key",
		detail:  "What was sent, and what became of it. Where `rowKey` names the rows, a row is known by its key once it is planned.",
		answers: answers{200: sends("", of[jobRowView]())},
	},
	"POST /jobs/{id}/cancel": moveOperation("cancelJob", "End a job",
		"What is finished stays; the other rows end with the code `cancelled`. Pictures that nobody else wants are not made."),
	"POST /jobs/{id}/pause": moveOperation("pauseJob", "Let a job rest",
		"Nothing more of it is planned or drawn until it is resumed. What is being drawn is finished, and what others want as well."),
	"POST /jobs/{id}/resume": moveOperation("resumeJob", "Let a paused job go on", ""),
	"POST /jobs/{id}/retry": moveOperation("retryJob", "Draw the failed rows again",
		"Of a job that has ended, without sending the rows again; the rows of a cancelled job that were not done are among them. "+
			"At its new end the completion webhook is sent once more, with another `webhook-id`."),
}

// moveOperation is what the moves have in common.
func moveOperation(id, summary, detail string) operation {
	if detail != "" {
		detail += " "
	}
	return operation{
		id: id, tag: tagJobs, summary: summary, headers: []string{"IdempotencyKey"},
		detail:  detail + "A job whose state does not take it answers 409, with what it takes instead.",
		answers: answers{200: sends("", of[jobView]())},
	}
}

// What leaves out jobs and rows.
var (
	jobFilters = []queryParam{
		limitParam,
		{"status", "Only jobs of this status.", of[batch.Status]()},
		{"template", "Only jobs of this template.", anyText()},
		{"cursor", "Go on behind a page: its `nextCursor`.", anyText()},
	}
	rowFilters = []queryParam{
		{"key", "Only rows whose key begins so.", anyText()},
		{"code", "Only rows that failed with this code.", anyText()},
	}
)
