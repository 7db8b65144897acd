package mcp

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

var formats = []string{"png", "jpeg", "webp", "gif", "pdf"}

var jobStatuses = []string{"pending", "processing", "paused", "completed", "partial", "failed", "cancelled"}

var batchTools = []Tool{
	tool(Tool{
		Name: "start_batch", Title: "Start a batch", Effect: Adds,
		Description: words("Has an image made of each of many rows by the newest version of a template. The rows are given, up to 500, or taken from a source, from a binding, or from an address.",
			"With dry_run nothing is accepted: every row is checked, a few are drawn, and the answer says how long it would take. Else the answer names the job: get_job watches it.",
			"Give an idempotency_key, so that the same call sent twice makes one job."),
		Scopes: []string{"renders:write"}, Routes: []string{"POST /templates/{id}/batch-render"}, open: true,
		enums: map[string][]string{"format": formats},
	}, plain((*Server).startBatch)),
	tool(Tool{
		Name: "get_job", Title: "Watch a job", Effect: Reads,
		Description: words("A job as it stands, with a page of its rows: the addresses of their images, or why they failed. With wait_seconds it waits for the job's end, that long at most, and tells its progress meanwhile.") + untrusted,
		Scopes:      []string{"renders:read"}, Routes: []string{"GET /jobs/{id}", "GET /jobs/{id}/events"},
		enums: map[string][]string{"rows": {"all", "failed", "completed"}},
	}, (*Server).getJob),
	tool(Tool{
		Name: "list_jobs", Title: "List jobs", Effect: Reads,
		Description: "The newest jobs: batches, and runs of bindings.",
		Scopes:      []string{"renders:read"}, Routes: []string{"GET /jobs"},
		enums: map[string][]string{"status": jobStatuses},
	}, plain((*Server).listJobs)),
	tool(Tool{
		Name: "cancel_job", Title: "Cancel a job", Effect: Destroys,
		Description: "Ends a job before its time. Images that are made stay. It cannot be taken up again.",
		Scopes:      []string{"renders:write"}, Routes: []string{"POST /jobs/{id}/cancel"},
	}, plain((*Server).cancelJob)),
}

// maxRows is how many rows one call brings: more belong into a file.
const maxRows = 500

type startBatchIn struct {
	Template  string            `json:"template" jsonschema:"its name"`
	Rows      []map[string]any  `json:"rows,omitempty" jsonschema:"up to 500 rows: the values of the template's variables"`
	Source    string            `json:"source,omitempty" jsonschema:"instead of rows: a source whose rows are taken as they are now"`
	Binding   string            `json:"binding,omitempty" jsonschema:"instead of rows: a binding whose rows are taken, as it draws them"`
	SourceURL string            `json:"source_url,omitempty" jsonschema:"instead of rows: an address where they are, as CSV, TSV, JSON, NDJSON or XLSX"`
	RowKey    string            `json:"row_key,omitempty" jsonschema:"the variable that names a row in results"`
	Mapping   map[string]string `json:"mapping,omitempty" jsonschema:"variables to expressions over the columns of a row; others take the column of their name"`
	Size      string            `json:"size,omitempty" jsonschema:"one size of the template"`
	Sizes     []string          `json:"sizes,omitempty" jsonschema:"instead of size: an image in each of these sizes"`
	Theme     string            `json:"theme,omitempty"`
	Format    string            `json:"format,omitempty" jsonschema:"png where nothing is said"`
	MaxErrors int               `json:"max_errors,omitempty" jsonschema:"stop when so many rows have failed"`
	DryRun    bool              `json:"dry_run,omitempty" jsonschema:"accept nothing, only say what would come of it"`
	replay
}

type batchOut struct {
	JobID   string  `json:"jobId,omitempty" jsonschema:"get_job and cancel_job want it"`
	Status  string  `json:"status,omitempty"`
	Total   int64   `json:"totalItems" jsonschema:"rows"`
	DryRun  bool    `json:"dryRun,omitempty" jsonschema:"nothing was accepted"`
	Valid   int64   `json:"validItems,omitempty"`
	Invalid int64   `json:"invalidItems,omitempty"`
	Errors  []lost  `json:"errors,omitempty" jsonschema:"rows that would fail, the first of them"`
	Seconds float64 `json:"estimatedSeconds,omitempty" jsonschema:"of a dry run: about how long it would take"`
}

func (s *Server) startBatch(ctx context.Context, in startBatchIn) (batchOut, error) {
	if len(in.Rows) > maxRows {
		return batchOut{}, problem.New(problem.TooLarge, "%d rows are more than the %d that one call brings", len(in.Rows), maxRows).WithSlug("too_many_rows").At("rows").
			WithHint("put the rows where pictifyd can read them and name the place as source_url, or send several batches")
	}
	body := map[string]any{}
	for name, value := range map[string]string{
		"source": in.Source, "binding": in.Binding, "sourceUrl": in.SourceURL, "rowKey": in.RowKey, "size": in.Size, "theme": in.Theme, "format": in.Format,
	} {
		if value != "" {
			body[name] = value
		}
	}
	if in.Rows != nil {
		body["variables"] = in.Rows
	}
	if in.Mapping != nil {
		body["mapping"] = in.Mapping
	}
	if len(in.Sizes) > 0 {
		body["sizes"] = in.Sizes
	}
	if in.MaxErrors > 0 {
		body["maxErrors"] = in.MaxErrors
	}
	if in.DryRun {
		body["dryRun"] = true
	}
	o := send(body, "templates", in.Template, "batch-render")
	o.key = in.IdempotencyKey
	var got struct {
		batchOut
		Estimate struct {
			Seconds float64 `json:"seconds"`
		} `json:"estimate"`
	}
	err := s.ask(ctx, o, &got)
	got.Seconds = got.Estimate.Seconds
	got.Errors = got.Errors[:min(len(got.Errors), shownFaults)]
	return got.batchOut, err
}

// lost is a row of a job that failed.
type lost struct {
	Index int64  `json:"index"`
	Key   string `json:"key,omitempty"`
	Code  string `json:"code"`
	Error string `json:"error"`
	Field string `json:"field,omitempty"`
}

// made is a row of a job that has its images.
type made struct {
	Index    int64     `json:"index"`
	Key      string    `json:"key,omitempty"`
	URL      string    `json:"url" jsonschema:"of its first image"`
	Outputs  []output  `json:"outputs"`
	Warnings []warning `json:"warnings,omitempty"`
}

type output struct {
	Output string `json:"output"`
	URL    string `json:"url"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Format string `json:"format"`
}

// A job is a job without its rows.
type job struct {
	JobID     string   `json:"jobId"`
	Template  string   `json:"templateUid"`
	Version   int64    `json:"templateVersion"`
	Status    string   `json:"status"`
	Progress  int      `json:"progress" jsonschema:"percent of the rows that ended"`
	Total     int64    `json:"totalItems"`
	Completed int64    `json:"completedItems"`
	Failed    int64    `json:"failedItems"`
	ETA       *int64   `json:"etaSeconds"`
	CreatedAt string   `json:"createdAt"`
	EndedAt   *string  `json:"completedAt"`
	Run       *jobRun  `json:"run,omitempty" jsonschema:"of a job that reads its rows from a binding's source"`
	Moves     []string `json:"moves,omitempty" jsonschema:"what may be done to it now"`
}

type jobRun struct {
	Binding string `json:"binding"`
	Source  string `json:"source"`
	Cause   string `json:"cause"`
	Phase   string `json:"phase"`
	Error   string `json:"error,omitempty"`
}

func (j job) ended() bool {
	switch j.Status {
	case "completed", "partial", "failed", "cancelled":
		return true
	}
	return false
}

type getJobIn struct {
	Job   string `json:"job" jsonschema:"its id"`
	Wait  int    `json:"wait_seconds,omitempty" jsonschema:"wait for its end, up to 50 seconds"`
	Rows  string `json:"rows,omitempty" jsonschema:"which rows are shown; all where nothing is said"`
	Limit int    `json:"limit,omitempty" jsonschema:"rows at most; 25 where nothing is said, up to 200"`
	After *int64 `json:"after,omitempty" jsonschema:"rows behind this index: nextAfter of the page before"`
}

type jobOut struct {
	job
	Ended     bool   `json:"ended" jsonschema:"false: ask again, with wait_seconds"`
	Results   []made `json:"results" jsonschema:"rows that have their images"`
	Errors    []lost `json:"errors" jsonschema:"rows that failed"`
	NextAfter *int64 `json:"nextAfter" jsonschema:"the after of the next page; null at the end"`
}

// mostWait is shorter than the patience of usual clients, a minute.
const mostWait = 50

func (s *Server) getJob(ctx context.Context, req *sdk.CallToolRequest, in getJobIn) (out jobOut, _ []sdk.Content, err error) {
	if in.Wait > 0 {
		if err := s.awaitJob(ctx, req, in.Job, min(in.Wait, mostWait)); err != nil {
			return out, nil, err
		}
	}
	o := read("jobs", in.Job).with("limit", page{Limit: in.Limit}.size())
	if in.Rows != "all" {
		o = o.with("status", in.Rows)
	}
	if in.After != nil {
		o.query.Set("after", strconv.FormatInt(*in.After, 10)) // 0 is a place, too
	}
	if err := s.ask(ctx, o, &out); err != nil {
		return out, nil, err
	}
	out.Ended = out.ended()
	for i := range out.Errors {
		out.Errors[i].Error = clip(out.Errors[i].Error, shownText)
	}
	return out, nil, nil
}

// awaitJob returns when a job has ended, or the seconds have passed.
func (s *Server) awaitJob(ctx context.Context, req *sdk.CallToolRequest, id string, seconds int) error {
	waiting, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	told := progressOf(req)
	err := s.follow(waiting, read("jobs", id, "events"), func(event string, data []byte) (bool, error) {
		var j job
		if err := json.Unmarshal(data, &j); err != nil {
			return true, err
		}
		told.tell(ctx, float64(j.Completed+j.Failed), float64(j.Total), "rows ended")
		return event == "end", nil
	})
	if waiting.Err() != nil && ctx.Err() == nil {
		return nil // the answer says how far it is
	}
	return err
}

type listJobsIn struct {
	Template string `json:"template,omitempty" jsonschema:"only jobs of this template"`
	Binding  string `json:"binding,omitempty" jsonschema:"only runs of this binding"`
	Status   string `json:"status,omitempty"`
	page
}

type jobList struct {
	Jobs      []job   `json:"jobs"`
	NextAfter *string `json:"nextAfter" jsonschema:"the after of the next page; null at the end"`
}

func (s *Server) listJobs(ctx context.Context, in listJobsIn) (jobList, error) {
	var got struct {
		Jobs       []job   `json:"jobs"`
		NextCursor *string `json:"nextCursor"`
	}
	o := read("jobs").with("template", in.Template).with("binding", in.Binding).with("status", in.Status).with("cursor", in.After).with("limit", in.size())
	err := s.ask(ctx, o, &got)
	return jobList{got.Jobs, got.NextCursor}, err
}

type jobIn struct {
	Job string `json:"job" jsonschema:"its id"`
}

func (s *Server) cancelJob(ctx context.Context, in jobIn) (out job, err error) {
	err = s.ask(ctx, send(nil, "jobs", in.Job, "cancel"), &out)
	return out, err
}
