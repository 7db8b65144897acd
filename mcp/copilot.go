package mcp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

var copilotScopes = []string{"templates:write", "renders:write"}

var copilotTools = []Tool{
	tool(Tool{
		Name: "start_copilot_run", Title: "Have the copilot edit a template", Effect: Adds, copilot: true,
		Description: words("Asks pictifyd's own copilot to change a template's draft, as in: make a dark-mode variant; resize this for Instagram Story; generate five backgrounds.",
			"It works step by step, checks every step over the template's hardest rows, and publishes nothing. get_copilot_run watches it; its steps are then accepted, rejected or discarded."),
		Scopes: copilotScopes, Routes: []string{"POST /copilot/runs"},
	}, plain((*Server).startCopilotRun)),
	tool(Tool{
		Name: "get_copilot_run", Title: "Watch a copilot run", Effect: Reads, copilot: true,
		Description: words("A run of the copilot: its plan, steps, candidates, findings of the checks, and its question where it has one. With wait_seconds it waits until the run ends or asks, that long at most.",
			"With pictures its candidates are shown, or the last step before and after.") + untrusted,
		Scopes: []string{"templates:read"}, Routes: []string{"GET /copilot/runs/{id}", "GET /copilot/runs/{id}/events", "GET /copilot/runs/{id}/pictures/{name}"},
	}, (*Server).getCopilotRun),
	tool(Tool{
		Name: "answer_copilot_run", Title: "Answer the copilot", Effect: Changes, copilot: true,
		Description: "Answers the question that a run waits for.",
		Scopes:      copilotScopes, Routes: []string{"POST /copilot/runs/{id}/answer"},
	}, plain((*Server).answerCopilotRun)),
	tool(Tool{
		Name: "accept_copilot_run", Title: "Accept steps of a copilot run", Effect: Changes, copilot: true,
		Description: "Accepts a step of a run, or all that are pending. The draft keeps them; publishing is another step.",
		Scopes:      copilotScopes, Routes: []string{"POST /copilot/runs/{id}/accept", "POST /copilot/runs/{id}/steps/{n}/accept"},
	}, plain((*Server).acceptCopilotRun)),
	tool(Tool{
		Name: "reject_copilot_step", Title: "Reject a step of a copilot run", Effect: Destroys, copilot: true,
		Description: "Takes a step of a run out of the draft again; the others stay.",
		Scopes:      copilotScopes, Routes: []string{"POST /copilot/runs/{id}/steps/{n}/reject"},
	}, plain((*Server).rejectCopilotStep)),
	tool(Tool{
		Name: "pick_copilot_candidate", Title: "Pick a candidate of a copilot run", Effect: Changes, copilot: true,
		Description: "Puts one of a run's candidates, as of several backgrounds, into the draft. Picking another one takes the first back.",
		Scopes:      copilotScopes, Routes: []string{"POST /copilot/runs/{id}/candidates/{name}/pick"},
	}, plain((*Server).pickCopilotCandidate)),
	tool(Tool{
		Name: "discard_copilot_run", Title: "Discard a copilot run", Effect: Destroys, copilot: true,
		Description: "Takes all steps of a run out of the draft again. A run that is under way is cancelled first.",
		Scopes:      copilotScopes, Routes: []string{"GET /copilot/runs/{id}", "POST /copilot/runs/{id}/cancel", "POST /copilot/runs/{id}/discard"},
	}, plain((*Server).discardCopilotRun)),
}

// hasCopilot reports whether this pictifyd has a copilot that the caller may ask of.
func (s *Server) hasCopilot(ctx context.Context, scopes []string) bool {
	if !has(scopes, []string{"templates:read"}) {
		return false
	}
	err := s.ask(ctx, read("copilot", "models"), nil)
	r := (*refusal)(nil)
	return !errors.As(err, &r) || r.Status != http.StatusNotFound
}

type startCopilotIn struct {
	Template string   `json:"template" jsonschema:"its name"`
	Message  string   `json:"message" jsonschema:"what shall be done"`
	Size     string   `json:"size,omitempty" jsonschema:"that is meant, where one is"`
	Theme    string   `json:"theme,omitempty" jsonschema:"that is meant, where one is"`
	Layers   []string `json:"layers,omitempty" jsonschema:"ids of layers that are meant"`
	Model    string   `json:"model,omitempty" jsonschema:"as the configuration calls it"`
}

// A run is a run of the copilot.
type run struct {
	ID       string `json:"id"`
	Template string `json:"template"`
	Message  string `json:"message"`
	Model    string `json:"model"`
	Status   string `json:"status" jsonschema:"running, waiting (for an answer), needs_review, accepted, discarded, failed or cancelled"`
	Summary  string `json:"summary,omitempty"`
	Problem  *fault `json:"problem,omitempty"`

	Plan       []runItem      `json:"plan"`
	Steps      []runStep      `json:"steps"`
	Candidates []runCandidate `json:"candidates"`
	Question   *runQuestion   `json:"question,omitempty"`
	Findings   []runFinding   `json:"findings" jsonschema:"of the last checks"`
}

type runItem struct {
	Text  string `json:"text"`
	State string `json:"state"`
	Step  int    `json:"step,omitempty"`
}

type runStep struct {
	Number   int          `json:"number"`
	Title    string       `json:"title"`
	State    string       `json:"state" jsonschema:"pending, accepted or rejected"`
	Revision int64        `json:"revision"`
	Notes    []string     `json:"notes"`
	Changed  []string     `json:"changed" jsonschema:"layers"`
	Diff     string       `json:"diff" jsonschema:"of the document; its beginning"`
	Before   string       `json:"before,omitempty" jsonschema:"the name of a picture"`
	After    string       `json:"after,omitempty"`
	Findings []runFinding `json:"findings"`
}

type runCandidate struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Picture string `json:"picture,omitempty"`
	Picked  int    `json:"picked,omitempty" jsonschema:"the step that it became"`
}

type runQuestion struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Choices []string `json:"choices"`
}

type runFinding struct {
	Code    string `json:"code"`
	Level   string `json:"level"`
	Layer   string `json:"layer,omitempty"`
	Size    string `json:"size,omitempty"`
	Theme   string `json:"theme,omitempty"`
	Message string `json:"message"`
}

const shownDiff = 4000

// bounded is r with texts of a length that is read.
func (r run) bounded() run {
	for i := range r.Steps {
		r.Steps[i].Diff = clip(r.Steps[i].Diff, shownDiff)
	}
	return r
}

func (s *Server) runAfter(ctx context.Context, o order) (run, error) {
	var r run
	err := s.ask(ctx, o, &r)
	return r.bounded(), err
}

func (s *Server) startCopilotRun(ctx context.Context, in startCopilotIn) (run, error) {
	return s.runAfter(ctx, send(in, "copilot", "runs"))
}

type getRunIn struct {
	Run      string `json:"run" jsonschema:"its id"`
	Wait     int    `json:"wait_seconds,omitempty" jsonschema:"wait until it ends or asks, up to 50 seconds"`
	Pictures bool   `json:"pictures,omitempty" jsonschema:"show its candidates, or the last step before and after"`
}

func (s *Server) getCopilotRun(ctx context.Context, req *sdk.CallToolRequest, in getRunIn) (run, []sdk.Content, error) {
	if in.Wait > 0 {
		if err := s.awaitRun(ctx, req, in.Run, min(in.Wait, mostWait)); err != nil {
			return run{}, nil, err
		}
	}
	r, err := s.runAfter(ctx, read("copilot", "runs", in.Run))
	if err != nil || !in.Pictures {
		return r, nil, err
	}
	var content []sdk.Content
	for _, name := range r.pictures() {
		data, err := s.fetch(ctx, read("copilot", "runs", in.Run, "pictures", name))
		if err != nil {
			return r, nil, err
		}
		picture, _, err := show(data, 0)
		if err != nil {
			return r, nil, err
		}
		content = append(content, picture...)
	}
	return r, content, nil
}

// shownCandidates is how many pictures of candidates are shown at a time.
const shownCandidates = 6

// pictures are the names of those to look at: candidates that are to be chosen from,
// else the last step before and after.
func (r run) pictures() []string {
	var names []string
	for _, c := range r.Candidates {
		if c.Picture != "" && len(names) < shownCandidates {
			names = append(names, c.Picture)
		}
		if c.Picked != 0 { // chosen
			names = nil
			break
		}
	}
	if len(names) > 0 || len(r.Steps) == 0 {
		return names
	}
	last := r.Steps[len(r.Steps)-1]
	return slices.DeleteFunc([]string{last.Before, last.After}, func(name string) bool { return name == "" })
}

// awaitRun returns when a run has ended or asks something, or the seconds have passed.
func (s *Server) awaitRun(ctx context.Context, req *sdk.CallToolRequest, id string, seconds int) error {
	waiting, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	told, events := progressOf(req), 0.0
	err := s.follow(waiting, read("copilot", "runs", id, "events"), func(event string, _ []byte) (bool, error) {
		events++
		told.tell(ctx, events, 0, event)
		if event != "ask" {
			return event == "end", nil
		}
		r, err := s.runAfter(waiting, read("copilot", "runs", id)) // the question may be an old one
		return r.Status == "waiting", err
	})
	if waiting.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

type answerRunIn struct {
	Run      string `json:"run" jsonschema:"its id"`
	Question string `json:"question" jsonschema:"the question's id"`
	Answer   string `json:"answer"`
}

func (s *Server) answerCopilotRun(ctx context.Context, in answerRunIn) (run, error) {
	return s.runAfter(ctx, send(map[string]any{"question": in.Question, "answer": in.Answer}, "copilot", "runs", in.Run, "answer"))
}

type acceptRunIn struct {
	Run  string `json:"run" jsonschema:"its id"`
	Step int    `json:"step,omitempty" jsonschema:"only this step; all that are pending where nothing is said"`
}

func (s *Server) acceptCopilotRun(ctx context.Context, in acceptRunIn) (run, error) {
	if in.Step != 0 {
		return s.runAfter(ctx, send(nil, "copilot", "runs", in.Run, "steps", strconv.Itoa(in.Step), "accept"))
	}
	return s.runAfter(ctx, send(nil, "copilot", "runs", in.Run, "accept"))
}

type rejectStepIn struct {
	Run  string `json:"run" jsonschema:"its id"`
	Step int    `json:"step" jsonschema:"its number"`
}

func (s *Server) rejectCopilotStep(ctx context.Context, in rejectStepIn) (run, error) {
	return s.runAfter(ctx, send(nil, "copilot", "runs", in.Run, "steps", strconv.Itoa(in.Step), "reject"))
}

type pickIn struct {
	Run       string `json:"run" jsonschema:"its id"`
	Candidate string `json:"candidate" jsonschema:"its name"`
}

func (s *Server) pickCopilotCandidate(ctx context.Context, in pickIn) (run, error) {
	return s.runAfter(ctx, send(nil, "copilot", "runs", in.Run, "candidates", in.Candidate, "pick"))
}

type discardRunIn struct {
	Run string `json:"run" jsonschema:"its id"`
}

func (s *Server) discardCopilotRun(ctx context.Context, in discardRunIn) (run, error) {
	r, err := s.runAfter(ctx, read("copilot", "runs", in.Run))
	if err != nil {
		return r, err
	}
	if r.Status == "running" || r.Status == "waiting" {
		if err := s.ask(ctx, send(nil, "copilot", "runs", in.Run, "cancel"), nil); err != nil {
			return r, err
		}
	}
	return s.runAfter(ctx, send(nil, "copilot", "runs", in.Run, "discard"))
}
