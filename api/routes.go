package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/tracing"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A handler answers one request, or returns why it can't. After it has begun to
// answer it returns nil.
type handler func(s *Server, w http.ResponseWriter, r *http.Request) error

// A route is one door. Scope "" is open to everybody; such a handler asks for
// itself where it must.
type route struct {
	pattern string
	scope   Scope
	handle  handler
}

// routes is every door there is.
func routes() []route {
	return []route{
		{"POST /templates/{id}/batch-render", RendersWrite, bounded((*Server).acceptBatch)},
		{"POST /tables/inspect", RendersWrite, bounded((*Server).inspectTable)},
		{"GET /templates", TemplatesRead, (*Server).listTemplates},
		{"GET /templates/{id}", TemplatesRead, (*Server).showTemplate},
		{"GET /templates/{id}/variables", TemplatesRead, (*Server).showVariables},
		{"POST /templates", TemplatesWrite, (*Server).createTemplate},
		{"GET /starters", TemplatesRead, (*Server).listStarters},
		{"PUT /templates/{id}", TemplatesWrite, (*Server).replaceTemplate},
		{"DELETE /templates/{id}", TemplatesWrite, (*Server).deleteTemplate},
		{"GET /templates/{id}/archive.zip", TemplatesRead, (*Server).sendArchive},
		{"GET /templates/{id}/versions", TemplatesRead, (*Server).listVersions},
		{"GET /templates/{id}/versions/{number}", TemplatesRead, (*Server).showVersion},
		{"GET /templates/{id}/versions/{number}/compare", TemplatesRead, (*Server).compareVersions},
		{"POST /templates/{id}/versions/{number}/restore", TemplatesWrite, replayed((*Server).restoreVersion)},
		{"GET /templates/{id}/draft", TemplatesRead, (*Server).showDraft},
		{"PATCH /templates/{id}/draft", TemplatesWrite, replayedTo(maxEdit, (*Server).editDraft)},
		{"DELETE /templates/{id}/draft", TemplatesWrite, (*Server).discardDraft},
		{"GET /operations", TemplatesRead, (*Server).listOperations},
		{"GET /templates/{id}/draft/tree", TemplatesRead, (*Server).showTree},
		{"POST /templates/{id}/draft/view", TemplatesRead, (*Server).viewDraft},
		{"PUT /templates/{id}/draft/source", TemplatesWrite, replayedTo(2*draft.MaxDocument, (*Server).rewriteDraft)},
		{"GET /templates/{id}/draft/assets", TemplatesRead, (*Server).listAssets},
		{"GET /templates/{id}/draft/assets/{path...}", TemplatesRead, (*Server).sendAsset},
		{"PUT /templates/{id}/draft/assets/{path...}", TemplatesWrite, (*Server).putAsset},
		{"DELETE /templates/{id}/draft/assets/{path...}", TemplatesWrite, (*Server).removeAsset},
		{"POST /templates/{id}/draft/undo", TemplatesWrite, replayed((*Server).undoStep)},
		{"GET /templates/{id}/publish", TemplatesRead, (*Server).forecastDraft},
		{"POST /templates/{id}/publish", TemplatesWrite, replayed((*Server).publishDraft)},
		{"GET /templates/{id}/rows", TemplatesRead, (*Server).showTrialRow},
		{"POST /templates/{id}/rows", TemplatesRead, (*Server).tryRows},
		{"GET /templates/{id}/stress", TemplatesRead, (*Server).showStress},
		{"GET /fonts", TemplatesRead, (*Server).listFonts},
		{"POST /templates/{id}/draft/fonts", TemplatesWrite, (*Server).addFont},
		{"POST /templates/{id}/draft/render", RendersWrite, (*Server).sketchDraft},
		{"POST /templates/{id}/draft/check", RendersWrite, (*Server).checkDraft},
		{"GET /templates/{id}/versions/{number}/picture", RendersWrite, (*Server).showVersionPicture},

		{"POST /expressions/validate", TemplatesRead, (*Server).validateExpression},
		{"POST /expressions/test", TemplatesRead, (*Server).testExpression},
		{"POST /expressions/complete", TemplatesRead, (*Server).completeExpression},
		{"GET /expressions/functions", TemplatesRead, (*Server).listFunctions},
		{"POST /expressions/dependencies", TemplatesRead, (*Server).expressionDependencies},

		{"GET /jobs", RendersRead, (*Server).listJobs},
		{"GET /jobs/{id}", RendersRead, (*Server).showJob},
		{"GET /jobs/{id}/events", RendersRead, (*Server).jobEvents},
		{"GET /jobs/{id}/results.ndjson", "", (*Server).streamResults}, // a signed address will do
		{"GET /jobs/{id}/results.csv", "", exported(resultsCSV)},
		{"GET /jobs/{id}/failed.csv", "", exported(failedCSV)},
		{"GET /jobs/{id}/results.zip", "", exported(resultsZip)},
		{"GET /jobs/{id}/results.pdf", "", exported(resultsPDF)},

		{"GET /jobs/{id}/rows/{key}", RendersRead, (*Server).showJobRow},
		{"POST /jobs/{id}/cancel", RendersWrite, replayed((*Server).cancelJob)},
		{"POST /jobs/{id}/pause", RendersWrite, replayed((*Server).pauseJob)},
		{"POST /jobs/{id}/resume", RendersWrite, replayed((*Server).resumeJob)},
		{"POST /jobs/{id}/retry", RendersWrite, replayed((*Server).retryJob)},

		{"POST /templates/{id}/render", RendersWrite, ordered((*Server).renderTemplate)},
		{"GET /templates/{id}/render", "", (*Server).renderByQuery}, // a signed address will do
		{"POST /templates/{id}/sign", RendersWrite, (*Server).signAddress},
		{"GET /i/{file}", "", (*Server).renderByAddress}, // signed
		{"POST /image", RendersWrite, ordered((*Server).renderImage)},
		{"POST /gif", RendersWrite, ordered((*Server).renderGIF)},
		{"POST /pdf/render", RendersWrite, ordered((*Server).renderPDF)},
		{"POST /pdf/multi-page", RendersWrite, ordered((*Server).renderPages)},
		{"GET /pdf/presets", RendersRead, (*Server).listPresets},

		{"GET /images", ImagesRead, (*Server).listImages},
		{"GET /images/{file}", "", (*Server).serveImage},
		{"GET /images/{file}/about", ImagesRead, (*Server).aboutImage},
		{"GET /b/{path...}", "", (*Server).serveStable}, // the binding decides

		{"GET /s/{file}", "", (*Server).showVariant}, // whoever sees a page or a mail
		{"GET /s/{experiment}/{file}", "", (*Server).showUnit},
		{"GET /s/{experiment}/click", "", (*Server).clickVariant},
		{"GET /s/{experiment}/{unit}/click", "", (*Server).clickVariant},
		{"GET /s/{experiment}/pixel.gif", "", (*Server).showPixel},
		{"GET /s/{experiment}/{unit}/pixel.gif", "", (*Server).showPixel},
		{"POST " + eventsPath, "", (*Server).takeEvents}, // a write key, or a key of the API
		{"POST /experiments/{id}/assignments", ExperimentsWrite, (*Server).assignUnits},

		{"GET /bindings", BindingsRead, (*Server).listBindings},
		{"GET /bindings/{name}", BindingsRead, (*Server).showBinding},
		{"GET /bindings/{name}/rows", BindingsRead, (*Server).listRows},
		{"GET /bindings/{name}/pipeline", BindingsRead, (*Server).showPipeline},
		{"GET /bindings/{name}/readings", BindingsRead, (*Server).listReadings},
		{"GET /bindings/{name}/changes", BindingsRead, (*Server).listChanges},
		{"POST /bindings", BindingsWrite, replayed((*Server).createBinding)},
		{"GET /bindings/{name}/rows/{key}", BindingsRead, (*Server).showRow},
		{"PUT /bindings/{name}", BindingsWrite, (*Server).replaceBinding},
		{"DELETE /bindings/{name}", BindingsWrite, (*Server).removeBinding},
		{"POST /bindings/{name}/pause", BindingsWrite, replayed((*Server).pauseBinding)},
		{"POST /bindings/{name}/resume", BindingsWrite, replayed((*Server).resumeBinding)},
		{"POST /bindings/{name}/preview", BindingsRead, replayed((*Server).previewBinding)},
		{"GET /bindings/{name}/mapping", BindingsRead, (*Server).showMapping},
		{"POST /bindings/{name}/mapping/preview", BindingsRead, (*Server).previewMapping},
		{"POST /templates/{id}/mapping", BindingsRead, (*Server).mapTemplate},
		{"GET /kinds", ConnectionsRead, (*Server).listKinds},
		{"GET /sources", ConnectionsRead, connections{kindSource}.list},
		{"POST /sources", ConnectionsWrite, replayed(connections{kindSource}.create)},
		{"POST /sources/test", ConnectionsWrite, replayed(connections{kindSource}.try)},
		{"POST /sources/{name}/test", ConnectionsWrite, replayed((*Server).trySource)},
		{"GET /sources/{name}", ConnectionsRead, connections{kindSource}.show},
		{"PUT /sources/{name}", ConnectionsWrite, connections{kindSource}.replace},
		{"DELETE /sources/{name}", ConnectionsWrite, connections{kindSource}.remove},
		{"POST /sources/{name}/resnapshot", ConnectionsWrite, replayed((*Server).resnapshotSource)},
		{"GET /sources/{name}/quarantine", ConnectionsRead, (*Server).listKeptOut},
		{"POST /sources/{name}/quarantine/replay", ConnectionsWrite, replayed((*Server).replayKeptOut)},
		{"POST /sources/{name}/quarantine/discard", ConnectionsWrite, replayed((*Server).discardKeptOut)},
		{"GET /sinks", ConnectionsRead, connections{kindSink}.list},
		{"POST /sinks", ConnectionsWrite, replayed(connections{kindSink}.create)},
		{"POST /sinks/test", ConnectionsWrite, replayed(connections{kindSink}.try)},
		{"GET /sinks/{name}", ConnectionsRead, connections{kindSink}.show},
		{"PUT /sinks/{name}", ConnectionsWrite, connections{kindSink}.replace},
		{"DELETE /sinks/{name}", ConnectionsWrite, connections{kindSink}.remove},
		{"POST /sinks/{name}/test", ConnectionsWrite, replayed((*Server).testSink)},
		{"POST /sinks/{name}/pause", ConnectionsWrite, replayed((*Server).pauseSink)},
		{"POST /sinks/{name}/resume", ConnectionsWrite, replayed((*Server).resumeSink)},
		{"POST /sinks/{name}/redeliver", ConnectionsWrite, replayed((*Server).redeliver)},
		{"GET /deliveries", BindingsRead, (*Server).listDeliveries},
		{"GET /deliveries/{id}", BindingsRead, (*Server).showDelivery},
		{"POST /deliveries/{id}/replay", BindingsWrite, replayed((*Server).replayDelivery)},
		{"POST /deliveries/{id}/discard", BindingsWrite, replayed((*Server).discardDelivery)},
		{"GET /dead-letters", BindingsRead, (*Server).listDeadLetters},
		{"POST /dead-letters/replay", BindingsWrite, replayed((*Server).replayLetters)},
		{"POST /dead-letters/discard", BindingsWrite, replayed((*Server).discardLetters)},
		{"POST /bindings/{name}/refresh", BindingsWrite, replayed(refreshes((*Server).refreshBinding))},
		{"POST /bindings/{name}/run", BindingsWrite, replayed((*Server).runBinding)},
		{"GET /bindings/{name}/guard", BindingsRead, (*Server).showGuard},
		{"POST /bindings/{name}/guard/accept", BindingsWrite, replayed((*Server).acceptGuard)},

		{"GET /webhook-subscriptions", ConnectionsRead, (*Server).listSubscriptions},
		{"POST /webhook-subscriptions", ConnectionsWrite, replayed((*Server).subscribe)},
		{"GET /webhook-subscriptions/{id}", ConnectionsRead, (*Server).showSubscription},
		{"PUT /webhook-subscriptions/{id}", ConnectionsWrite, (*Server).replaceSubscription},
		{"PATCH /webhook-subscriptions/{id}", ConnectionsWrite, (*Server).patchSubscription},
		{"DELETE /webhook-subscriptions/{id}", ConnectionsWrite, (*Server).unsubscribe},
		{"POST /webhook-subscriptions/{id}/pause", ConnectionsWrite, replayed((*Server).pauseSubscription)},
		{"POST /webhook-subscriptions/{id}/resume", ConnectionsWrite, replayed((*Server).resumeSubscription)},
		{"POST /webhook-subscriptions/{id}/rotate-secret", ConnectionsWrite, replayed((*Server).rotateSecret)},
		{"POST /webhook-subscriptions/{id}/test", ConnectionsWrite, replayed((*Server).testSubscription)},

		{"GET /experiments", ExperimentsRead, (*Server).listExperiments},
		{"POST /experiments", ExperimentsWrite, replayed((*Server).createExperiment)},
		{"GET /experiments/{id}", ExperimentsRead, (*Server).showExperiment},
		{"PATCH /experiments/{id}", ExperimentsWrite, (*Server).changeExperiment},
		{"DELETE /experiments/{id}", ExperimentsWrite, (*Server).removeExperiment},
		{"POST /experiments/{id}/start", ExperimentsWrite, replayed((*Server).startExperiment)},
		{"POST /experiments/{id}/pause", ExperimentsWrite, replayed((*Server).pauseExperiment)},
		{"POST /experiments/{id}/resume", ExperimentsWrite, replayed((*Server).resumeExperiment)},
		{"POST /experiments/{id}/complete", ExperimentsWrite, replayed((*Server).completeExperiment)},
		{"POST /experiments/{id}/rollout", ExperimentsWrite, replayed((*Server).rolloutExperiment)},
		{"GET /experiments/{id}/results", ExperimentsRead, (*Server).showResults},
		{"GET /experiments/{id}/forecast", ExperimentsRead, (*Server).forecastExperiment},
		{"GET /experiments/{id}/export.csv", ExperimentsRead, (*Server).exportExperiment},
		{"DELETE /experiments/{id}/units/{unit}", ExperimentsWrite, (*Server).eraseUnit},

		{"GET /copilot/models", TemplatesRead, (*Server).listCopilotModels},
		{"POST /copilot/runs", TemplatesWrite, replayed((*Server).startCopilotRun)}, // and renders:write
		{"GET /copilot/runs", TemplatesRead, (*Server).listCopilotRuns},
		{"GET /copilot/runs/{id}", TemplatesRead, (*Server).showCopilotRun},
		{"GET /copilot/runs/{id}/events", TemplatesRead, (*Server).copilotEvents},
		{"GET /copilot/runs/{id}/pictures/{name}", TemplatesRead, (*Server).sendRunPicture},
		{"POST /copilot/runs/{id}/cancel", TemplatesWrite, replayed(cancelCopilotRun)},
		{"POST /copilot/runs/{id}/answer", TemplatesWrite, replayed(answerCopilotRun)},
		{"POST /copilot/runs/{id}/accept", TemplatesWrite, replayed(acceptCopilotRun)},
		{"POST /copilot/runs/{id}/discard", TemplatesWrite, replayed(discardCopilotRun)},
		{"POST /copilot/runs/{id}/steps/{n}/accept", TemplatesWrite, replayed(acceptRunStep)},
		{"POST /copilot/runs/{id}/steps/{n}/reject", TemplatesWrite, replayed(rejectRunStep)},
		{"POST /copilot/runs/{id}/steps/{n}/undo", TemplatesWrite, replayed(rejectRunStep)}, // of one that was accepted: the same
		{"POST /copilot/runs/{id}/candidates/{name}/pick", TemplatesWrite, replayed(pickCandidate)},
		{"POST /copilot/runs/{id}/experiment", ExperimentsWrite, replayed((*Server).testRunVariants)},
		{"GET /copilot/audit", Admin, (*Server).auditCopilot},

		{"POST /hooks/{path}", "", (*Server).receiveHook}, // the source asks for itself

		{"GET /keys", Admin, (*Server).listKeys},
		{"POST /keys", Admin, replayed((*Server).createKey)},
		{"DELETE /keys/{id}", Admin, (*Server).revokeKey},
		{"DELETE /jobs/{id}", RendersWrite, (*Server).deleteJob},
		{"DELETE /jobs/{id}/rows/{key}", RendersWrite, (*Server).deleteJobRow},
		{"DELETE /bindings/{name}/rows/{key}", BindingsWrite, (*Server).deleteRow},
		{"POST /bindings/{name}/rows/{key}/recall", BindingsWrite, replayed((*Server).recallRow)},
		{"POST /deletions", BindingsWrite, replayed((*Server).deleteKey)},
		{"POST /sweep", Admin, replayed((*Server).askSweep)},
		{"GET /audit", Admin, (*Server).listAudit},

		{"GET /events", BindingsRead, (*Server).stateEvents},
		{"GET /overview", BindingsRead, (*Server).showOverview},
		{"GET /system", Admin, (*Server).showSystem},
		{"GET /{$}", "", (*Server).servePage},
		{"GET /studio/frame", "", (*Server).serveFrame},
		{"GET " + remotePlace, TemplatesRead, (*Server).serveRemote},
		{"GET /studio/{path...}", "", (*Server).servePageFile},
		{"GET /favicon.ico", "", (*Server).serveFavicon},
		{"GET /session", "", (*Server).showSession}, // any key will do
		{"POST /session", "", (*Server).openSession},
		{"DELETE /session", "", (*Server).closeSession},

		{"GET /openapi.json", "", (*Server).sendDocument},
		{"GET /docs", "", (*Server).sendReference}, // the same for people
		{"GET /docs/{page}", "", (*Server).sendPage},
		{"GET /llms.txt", "", (*Server).sendForModels}, // the same for programs that read
		{"GET /llms-full.txt", "", (*Server).sendAllForModels},
		{"POST " + agentsPath, "", (*Server).answerAgent}, // any key will do; each tool asks for its scope
		{"GET /errors/{slug}", "", (*Server).explainError},
		{"GET /healthz", "", (*Server).healthy},
		{"GET /readyz", "", (*Server).ready},
		{"GET /metrics", MetricsRead, (*Server).serveMetrics},
	}
}

func (s *Server) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range s.routes {
		mux.Handle(rt.pattern, s.guarded(rt))
	}
	mux.Handle("/", s.guarded(route{handle: (*Server).noRoute}))
	return mux
}

// guarded asks for the route's scope, runs it, and answers with its error.
func (s *Server) guarded(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, ok := w.(*response)
		if ok {
			out.route = r.Pattern
		}
		r, err := s.enter(w, r, rt)
		if err == nil && ok && rt.scope != "" { // strangers have nothing traced
			var part *tracing.Span
			r, part = s.deps.Traces.Served(r)
			defer func() { part.Answered(rt.pattern, out.status) }()
		}
		if err == nil {
			err = s.room(rt, r)
		}
		if err == nil {
			err = s.noted(rt, w, r)
		}
		if err != nil {
			s.refuse(w, r, err)
		}
	})
}

// enter counts r against the limits of its key, and asks for the route's scope.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, rt route) (*http.Request, error) {
	if rt.metered() {
		p, err := s.identify(r)
		if err != nil && rt.scope != "" {
			return r, err // not asked twice: a key that is none counts each time
		}
		if err == nil {
			err = p.meter(w.Header())
			if err != nil {
				return r, err
			}
		}
	}
	if rt.scope == "" {
		return r, nil
	}
	p, err := s.permit(r, rt.scope)
	if err != nil {
		return r, err
	}
	return r.WithContext(withPrincipal(r.Context(), p)), nil
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// noRoute says which methods or paths there are instead.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) error {
	if allowed := s.methodsOf(r); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return problem.New(problem.Invalid, "%s does not take %s", r.URL.Path, r.Method).WithSlug(slugMethod).
			WithHint("it takes %s", strings.Join(allowed, ", "))
	}
	return s.noPath(r)
}

// noPath says which path was most likely meant.
func (s *Server) noPath(r *http.Request) error {
	p := problem.New(problem.NotFound, "there is no route %s", r.URL.Path).WithSlug(slugNoRoute)
	if near, ok := s.nearRoute(r.URL.Path); ok {
		p.WithHint("did you mean %s?", near)
	}
	return p
}

func (s *Server) methodsOf(r *http.Request) []string {
	var allowed []string
	for _, method := range methods {
		try := r.WithContext(r.Context())
		try.Method = method
		if _, pattern := s.mux.Handler(try); pattern != "" && pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	return allowed
}

// nearRoute is the route that was most likely meant: the one whose path, with
// this one's words in the places of its variables, is spelt most alike.
func (s *Server) nearRoute(path string) (string, bool) {
	have := segments(path)
	routes := map[string]string{}
	var spelt []string
	for _, rt := range s.routes {
		_, pattern, _ := strings.Cut(rt.pattern, " ")
		if pattern == "/{$}" {
			continue
		}
		words := segments(pattern)
		for i, word := range words {
			if strings.HasPrefix(word, "{") && i < len(have) {
				words[i] = have[i]
			}
		}
		like := "/" + strings.Join(words, "/")
		if _, twice := routes[like]; !twice { // of several methods the first
			routes[like] = rt.pattern
		}
		spelt = append(spelt, like)
	}
	near, ok := config.Nearest(path, spelt)
	return routes[near], ok
}
