package mcp

import (
	"context"
	"fmt"
	"net/http"
)

var bindingTools = []Tool{
	tool(Tool{
		Name: "list_bindings", Title: "List bindings", Effect: Reads,
		Description: "The bindings: of which source's rows which template makes images, how many there are, and how they fare.",
		Scopes:      []string{"bindings:read"}, Routes: []string{"GET /bindings"},
	}, plain((*Server).listBindings)),
	tool(Tool{
		Name: "get_binding", Title: "Inspect a binding", Effect: Reads,
		Description: "One binding: its outputs and sinks, its state and why, what its guard holds back, how fresh its images are.",
		Scopes:      []string{"bindings:read"}, Routes: []string{"GET /bindings/{name}"},
	}, plain((*Server).getBinding)),
	tool(Tool{
		Name: "list_rows", Title: "List a binding's rows", Effect: Reads,
		Description: "The rows of a binding by key, and those that failed or are kept out, with the reason." + untrusted,
		Scopes:      []string{"bindings:read"}, Routes: []string{"GET /bindings/{name}/rows"},
	}, plain((*Server).listRows)),
	tool(Tool{
		Name: "get_row", Title: "Explain a row's images", Effect: Reads,
		Description: words("Why the images of one row look as they do: its values, where they come from and when they were read, which variables changed the picture last, how it was drawn, and who was told.") + untrusted,
		Scopes:      []string{"bindings:read"}, Routes: []string{"GET /bindings/{name}/rows/{key}"},
	}, plain((*Server).getRow)),
	tool(Tool{
		Name: "refresh_binding", Title: "Refresh a binding", Effect: Changes, open: true,
		Description: words("Has the source of a binding read now, or only some rows of it. What looks as before is not drawn again, unless force is set.",
			"With dry_run nothing is read or drawn, and the answer says what the call would do."),
		Scopes: []string{"bindings:write"}, Routes: []string{"POST /bindings/{name}/refresh", "GET /bindings/{name}", "POST /bindings/{name}/preview"},
	}, plain((*Server).refreshBinding)),
}

// A binding is a binding as it stands.
type binding struct {
	Name         string   `json:"name"`
	Source       string   `json:"source"`
	Template     string   `json:"template"`
	State        string   `json:"state" jsonschema:"ok, working, held, failing, paused or new"`
	PausedReason string   `json:"pausedReason,omitempty"`
	Error        string   `json:"error,omitempty"`
	Items        int64    `json:"items" jsonschema:"rows that have images, or should"`
	Ready        int64    `json:"ready"`
	Waiting      int64    `json:"waiting"`
	Failed       int64    `json:"failed"`
	Quarantined  int64    `json:"quarantined" jsonschema:"rows that are kept out"`
	Held         *held    `json:"held" jsonschema:"what the guard holds back, until a person accepts it"`
	ReadAt       *string  `json:"readAt" jsonschema:"when its source was last read"`
	Sinks        []string `json:"sinks"`
	RenderURL    string   `json:"renderUrl" jsonschema:"of its first output; {key} stands for a row's key"`
}

type held struct {
	Changes  int64  `json:"changes"`
	Removals int64  `json:"removals"`
	Reason   string `json:"reason"`
}

// A bindingDetail is a binding with what only one shows.
type bindingDetail struct {
	binding
	Public    bool            `json:"public"`
	ReadOnly  bool            `json:"readOnly" jsonschema:"it stands in the configuration"`
	Outputs   []bindingOutput `json:"outputs"`
	NextRunAt *string         `json:"nextRunAt"`
	LastRun   *lastRun        `json:"lastRun"`
	Freshness *freshness      `json:"freshness"`
}

type bindingOutput struct {
	Name string `json:"name"`
	Ext  string `json:"ext" jsonschema:"of the addresses of its images"`
}

type lastRun struct {
	ScheduledFor string `json:"scheduledFor"`
	JobID        string `json:"jobId"`
	Status       string `json:"status"`
	Error        string `json:"error,omitempty"`
}

type freshness struct {
	State string   `json:"state" jsonschema:"ok, warn, error or paused"`
	Cause string   `json:"cause,omitempty"`
	Next  string   `json:"next,omitempty" jsonschema:"what a person does about it"`
	Lag   *float64 `json:"lagSeconds" jsonschema:"for how long nobody has known whether the rows are current"`
}

type bindingList struct {
	Bindings []binding `json:"bindings"`
	More     int       `json:"more,omitempty" jsonschema:"so many are left out: get_binding reads one by name"`
}

const shownBindings = 100

func (s *Server) listBindings(ctx context.Context, _ nothing) (out bindingList, err error) {
	err = s.ask(ctx, read("bindings"), &out)
	if n := len(out.Bindings); n > shownBindings {
		out.Bindings, out.More = out.Bindings[:shownBindings], n-shownBindings
	}
	return out, err
}

type bindingIn struct {
	Binding string `json:"binding" jsonschema:"its name"`
}

func (s *Server) getBinding(ctx context.Context, in bindingIn) (bindingDetail, error) {
	var got struct {
		Binding bindingDetail `json:"binding"`
	}
	err := s.ask(ctx, read("bindings", in.Binding), &got)
	return got.Binding, err
}

type listRowsIn struct {
	Binding string `json:"binding" jsonschema:"its name"`
	page
}

type storedRow struct {
	Key      string    `json:"key" jsonschema:"as get_row wants it"`
	Missing  bool      `json:"missing,omitempty"`
	Values   any       `json:"values"`
	Warnings []warning `json:"warnings,omitempty"`
}

type rowList struct {
	Rows        []storedRow `json:"rows"`
	Failed      []failure   `json:"failed" jsonschema:"rows without a picture"`
	Quarantined []keptOut   `json:"quarantined" jsonschema:"rows that are kept out of the source"`
	Next        string      `json:"next,omitempty" jsonschema:"the after of the next page"`
}

type keptOut struct {
	Key      string `json:"key"`
	Position string `json:"position" jsonschema:"where in the source"`
	Reason   string `json:"reason"`
	Detail   string `json:"detail"`
}

func (s *Server) listRows(ctx context.Context, in listRowsIn) (out rowList, err error) {
	err = s.ask(ctx, read("bindings", in.Binding, "rows").with("after", in.After).with("limit", in.size()), &out)
	for i := range out.Rows {
		out.Rows[i].Values = clipValue(out.Rows[i].Values, shownText)
	}
	return out, err
}

type rowIn struct {
	Binding string `json:"binding" jsonschema:"its name"`
	Key     string `json:"key" jsonschema:"the row's key, as list_rows or the address of its image has it"`
}

// A rowHistory is all that there is about a row.
type rowHistory struct {
	Key        string        `json:"key"`
	Gone       bool          `json:"gone" jsonschema:"the source has no such row any more"`
	Missing    bool          `json:"missing"`
	Values     any           `json:"values,omitempty"`
	State      string        `json:"state" jsonschema:"waiting, ready, failed or removed"`
	Generation int64         `json:"generation"`
	Problem    *rowProblem   `json:"problem,omitempty"`
	Images     []rowImage    `json:"images"`
	Deliveries []rowDelivery `json:"deliveries"`
	Source     rowSource     `json:"source"`
	Paused     string        `json:"pausedReason,omitempty"`
}

type rowProblem struct {
	Code  string `json:"code"`
	Field string `json:"field,omitempty"`
	Error string `json:"error"`
}

type rowImage struct {
	Output     string      `json:"output"`
	URL        string      `json:"url,omitempty"`
	Format     string      `json:"format,omitempty"`
	Width      int         `json:"width,omitempty"`
	Height     int         `json:"height,omitempty"`
	RenderedAt *string     `json:"renderedAt"`
	Waiting    bool        `json:"waiting" jsonschema:"a newer one is wanted"`
	Problem    *rowProblem `json:"problem,omitempty"`
	Render     *rowRender  `json:"render,omitempty"`
}

type rowRender struct {
	Template  string       `json:"template"`
	Version   int64        `json:"templateVersion"`
	State     string       `json:"state"`
	Attempts  int64        `json:"attempts"`
	ChangedBy string       `json:"changedBy,omitempty" jsonschema:"row, template or options: why it is not the picture before"`
	Changed   []textChange `json:"changed,omitempty" jsonschema:"texts on the picture that were others before"`
}

type textChange struct {
	Variable string `json:"variable,omitempty"`
	Before   string `json:"before"`
	After    string `json:"after"`
}

type rowSource struct {
	Name        string  `json:"name"`
	State       string  `json:"state,omitempty"`
	Cause       string  `json:"cause,omitempty"`
	ReadAt      *string `json:"readAt"`
	ConfirmedAt *string `json:"confirmedAt"`
	NextAt      *string `json:"nextAt"`
}

const shownDeliveries = 10

func (s *Server) getRow(ctx context.Context, in rowIn) (rowHistory, error) {
	var got struct {
		Row rowHistory `json:"row"`
	}
	err := s.ask(ctx, read("bindings", in.Binding, "rows", in.Key), &got)
	out := got.Row
	out.Values = clipValue(out.Values, shownText)
	out.Deliveries = out.Deliveries[:min(len(out.Deliveries), shownDeliveries)]
	for i := range out.Images {
		if r := out.Images[i].Render; r != nil {
			for j := range r.Changed {
				r.Changed[j].Before, r.Changed[j].After = clip(r.Changed[j].Before, shownText), clip(r.Changed[j].After, shownText)
			}
		}
	}
	return out, err
}

type refreshIn struct {
	Binding string   `json:"binding" jsonschema:"its name"`
	Keys    []string `json:"keys,omitempty" jsonschema:"only these rows, up to 1000"`
	Force   bool     `json:"force,omitempty" jsonschema:"draw again although nothing changed"`
	DryRun  bool     `json:"dry_run,omitempty" jsonschema:"do nothing, only say what would be done"`
	replay
}

type refreshOut struct {
	DryRun  bool      `json:"dryRun,omitempty" jsonschema:"nothing was done"`
	Binding string    `json:"binding"`
	Source  string    `json:"source"`
	Reading bool      `json:"reading" jsonschema:"the whole source is read"`
	Rows    int       `json:"rows" jsonschema:"that the source is asked for, one by one"`
	Images  int       `json:"images" jsonschema:"that are drawn again"`
	Missing []string  `json:"missing,omitempty" jsonschema:"keys of rows that there are not"`
	Stored  []preview `json:"stored,omitempty" jsonschema:"of a dry run: the rows as they are stored now"`
	Note    string    `json:"note,omitempty"`
}

// A preview is what a binding would make of a row as it is stored.
type preview struct {
	Key     string      `json:"key"`
	Drawn   bool        `json:"drawn" jsonschema:"it has an image"`
	Changed bool        `json:"changed" jsonschema:"its image would be another one"`
	Problem *rowProblem `json:"problem,omitempty"`
}

const previewed = 20 // rows of a dry run

func (s *Server) refreshBinding(ctx context.Context, in refreshIn) (out refreshOut, err error) {
	if in.DryRun {
		return s.wouldRefresh(ctx, in)
	}
	body := map[string]any{}
	if in.Keys != nil {
		body["keys"] = in.Keys
	}
	if in.Force {
		body["force"] = true
	}
	o := send(body, "bindings", in.Binding, "refresh")
	o.key = in.IdempotencyKey
	err = s.ask(ctx, o, &out)
	out.Reading = out.Reading || len(in.Keys) == 0 && !in.Force // of which the answer says less
	return out, err
}

// wouldRefresh says what a refresh would do, by what is known without asking the source.
func (s *Server) wouldRefresh(ctx context.Context, in refreshIn) (out refreshOut, err error) {
	b, err := s.getBinding(ctx, bindingIn{in.Binding})
	if err != nil {
		return out, err
	}
	out = refreshOut{DryRun: true, Binding: b.Name, Source: b.Source}
	switch {
	case in.Keys == nil && in.Force:
		out.Images = int(b.Items) * len(b.Outputs)
	case in.Keys == nil:
		out.Reading, out.Note = true, "which rows have changed is known once the source has been read"
	case in.Force:
		out.Images = len(in.Keys) * len(b.Outputs)
	default:
		out.Rows = len(in.Keys)
	}
	for i, key := range in.Keys {
		if i == previewed {
			out.Note = fmt.Sprintf("the first %d of %d rows are shown", previewed, len(in.Keys))
			break
		}
		var got struct {
			Preview preview `json:"preview"`
		}
		err := s.ask(ctx, send(map[string]any{"key": key}, "bindings", in.Binding, "preview"), &got)
		if err != nil {
			if refused(err).Status != http.StatusNotFound {
				return out, err
			}
			out.Missing = append(out.Missing, key)
			continue
		}
		got.Preview.Key = key
		out.Stored = append(out.Stored, got.Preview)
	}
	return out, nil
}
