package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/sink"
)

// ways is one request per route, with the status of its answer.
func ways(w *world) map[string]struct {
	call   call
	status int
} {
	hash := w.put("cards", "SKU-1", "card", "png", []byte("picture"))
	w.acceptedJob("batch_1", 3, 1)
	w.acceptedJob("batch_2", 3) // has ended well: it takes no move
	w.subscriptionDesk.all = append(w.subscriptionDesk.all, Subscription{Subscription: sink.Subscription{
		ID: "sub_0", Events: []string{sink.RenderCompleted}, URL: "https://hooks.example/0", Platform: anyPlatform, Revision: 1,
	}})
	w.subscriptionDesk.last = map[string]LastDelivery{"sub_0": {ID: "dlv_0", Event: sink.RenderCompleted, State: "waiting", At: time.UnixMilli(1), DueAt: time.UnixMilli(2)}}
	w.experiments.add("spring-banner", experiment.Running)
	w.experiments.add("old-banner", experiment.Draft)
	w.cockpit.add("run_0", testTemplate, copilot.Review)
	w.cockpit.change("run_0", func(r *copilot.Run) { r.Variants = []copilot.Variant{{Name: "story", Size: "story"}} })
	w.cockpit.tell("run_0", `end {"status":"needs_review"}`)
	w.cockpit.pictures = map[string][]byte{"run_0/1": []byte("picture")}
	type way = struct {
		call   call
		status int
	}
	return map[string]way{
		"POST /templates/{id}/batch-render":              {post("/templates/tpl_certificate/batch-render", `{"variables":[{}]}`), 202},
		"GET /templates":                                 {get("/templates"), 200},
		"GET /templates/{id}":                            {get("/templates/tpl_certificate"), 200},
		"GET /templates/{id}/variables":                  {get("/templates/tpl_certificate/variables"), 200},
		"POST /templates":                                {post("/templates", `{"name":"badge","html":"<p>"}`), 201},
		"GET /starters":                                  {get("/starters"), 200},
		"PUT /templates/{id}":                            {call{"PUT", "/templates/badge", "<p>", map[string]string{"Content-Type": "text/html", "If-Match": `"1"`}, ""}, 200},
		"GET /templates/{id}/archive.zip":                {get("/templates/tpl_certificate/archive.zip"), 200},
		"GET /templates/{id}/versions":                   {get("/templates/tpl_certificate/versions"), 200},
		"GET /templates/{id}/versions/{number}":          {get("/templates/tpl_certificate/versions/2"), 200},
		"GET /templates/{id}/versions/{number}/compare":  {get("/templates/tpl_certificate/versions/2/compare"), 200},
		"POST /templates/{id}/versions/{number}/restore": {post("/templates/tpl_certificate/versions/3/restore", ""), 200},
		"GET /templates/{id}/draft":                      {get("/templates/tpl_certificate/draft"), 200},
		"PATCH /templates/{id}/draft":                    {call{method: http.MethodPatch, path: "/templates/tpl_certificate/draft", body: `{"ops":[{}]}`}, 428},
		"DELETE /templates/{id}/draft":                   {call{method: http.MethodDelete, path: "/templates/tpl_certificate/draft"}, 200},
		"GET /templates/{id}/draft/tree":                 {get("/templates/tpl_certificate/draft/tree"), 200},
		"POST /templates/{id}/draft/view":                {post("/templates/tpl_certificate/draft/view", `{}`), 200},
		"PUT /templates/{id}/draft/source":               {call{method: http.MethodPut, path: "/templates/tpl_certificate/draft/source", body: `{"html":"x"}`}, 428},
		"GET /templates/{id}/draft/assets":               {get("/templates/tpl_certificate/draft/assets"), 200},
		"GET /templates/{id}/draft/assets/{path...}":     {get("/templates/tpl_certificate/draft/assets/none.png"), 404},
		"PUT /templates/{id}/draft/assets/{path...}":     {call{method: http.MethodPut, path: "/templates/tpl_certificate/draft/assets/a.png", body: "x"}, 428},
		"DELETE /templates/{id}/draft/assets/{path...}":  {call{method: http.MethodDelete, path: "/templates/tpl_certificate/draft/assets/a.png"}, 404},
		"POST /templates/{id}/draft/undo":                {post("/templates/tpl_certificate/draft/undo", `{"author":"Ada"}`), 409},
		"GET /templates/{id}/publish":                    {get("/templates/tpl_certificate/publish"), 200},
		"GET /templates/{id}/rows":                       {get("/templates/tpl_certificate/rows"), 200},
		"POST /templates/{id}/rows":                      {post("/templates/tpl_certificate/rows", `{"recipient_name": "Ada"}`), 200},
		"POST /templates/{id}/draft/render":              {post("/templates/tpl_certificate/draft/render", `{"variables":{"recipient_name":"Ada"}}`), 200},
		"POST /templates/{id}/draft/check":               {post("/templates/tpl_certificate/draft/check", `{"rows":[{"recipient_name":"Ada"}]}`), 200},
		"GET /templates/{id}/versions/{number}/picture":  {get("/templates/tpl_certificate/versions/3/picture"), 200},
		"POST /expressions/complete":                     {post("/expressions/complete", `{"expression":"pri","variables":{"price":3}}`), 200},
		"GET /fonts":                                     {get("/fonts"), 200},
		"POST /templates/{id}/draft/fonts":               {call{method: http.MethodPost, path: "/templates/tpl_certificate/draft/fonts", body: "x"}, 428},
		"GET /bindings/{name}/mapping":                   {get("/bindings/cards/mapping"), 200},
		"POST /bindings/{name}/mapping/preview":          {post("/bindings/cards/mapping/preview", `{"map":{"recipient_name":"name"}}`), 200},
		"POST /templates/{id}/mapping":                   {post("/templates/tpl_certificate/mapping", `{"rows":[{"name":"Ada"}]}`), 200},
		"GET /templates/{id}/stress":                     {get("/templates/tpl_certificate/stress"), 200},
		"POST /templates/{id}/publish":                   {post("/templates/tpl_certificate/publish", `{"dryRun":true}`), 200},
		"POST /expressions/validate":                     {post("/expressions/validate", `{"expression":"1"}`), 200},
		"POST /expressions/test":                         {post("/expressions/test", `{"expression":"1"}`), 200},
		"GET /expressions/functions":                     {get("/expressions/functions"), 200},
		"POST /expressions/dependencies":                 {post("/expressions/dependencies", `{"expression":"1"}`), 200},
		"GET /jobs":                                      {get("/jobs"), 200},
		"GET /jobs/{id}":                                 {get("/jobs/batch_1"), 200},
		"GET /jobs/{id}/events":                          {get("/jobs/batch_1/events"), 200},
		"DELETE /templates/{id}":                         {call{method: http.MethodDelete, path: "/templates/tpl_certificate"}, 204},
		"GET /jobs/{id}/results.ndjson":                  {get("/jobs/batch_1/results.ndjson"), 200},
		"POST /templates/{id}/render":                    {post("/templates/tpl_certificate/render", `{"variables":{"recipient_name":"Ada"}}`), 200},
		"GET /templates/{id}/render":                     {get("/templates/tpl_certificate/render?recipient_name=Ada"), 200},
		"POST /templates/{id}/sign":                      {post("/templates/tpl_certificate/sign", `{"variables":{"recipient_name":"Ada"}}`), 200},
		"GET /i/{file}":                                  {get(SignPath("/i/tpl_certificate.png?recipient_name=Ada", urlKey)), 200},
		"POST /image":                                    {post("/image", `{"html":"<p>Ada</p>"}`), 200},
		"POST /gif":                                      {post("/gif", `{"html":"<p>Ada</p>"}`), 200},
		"POST /pdf/render":                               {post("/pdf/render", `{"html":"<p>Ada</p>"}`), 200},
		"POST /pdf/multi-page":                           {post("/pdf/multi-page", `{"html":"<p>Ada</p>","variableSets":[{}]}`), 200},
		"GET /pdf/presets":                               {get("/pdf/presets"), 200},
		"GET /jobs/{id}/results.csv":                     {get("/jobs/batch_1/results.csv"), 200},
		"GET /jobs/{id}/failed.csv":                      {get("/jobs/batch_1/failed.csv"), 200},
		"GET /jobs/{id}/results.zip":                     {get("/jobs/batch_1/results.zip"), 200},
		"GET /jobs/{id}/results.pdf":                     {get("/jobs/batch_1/results.pdf"), 422},
		"GET /jobs/{id}/rows/{key}":                      {get("/jobs/batch_1/rows/C-1"), 200},
		"POST /jobs/{id}/cancel":                         {post("/jobs/batch_2/cancel", ""), 409},
		"POST /jobs/{id}/pause":                          {post("/jobs/batch_2/pause", ""), 409},
		"POST /jobs/{id}/resume":                         {post("/jobs/batch_2/resume", ""), 409},
		"POST /jobs/{id}/retry":                          {post("/jobs/batch_2/retry", ""), 409},
		"GET /session":                                   {get("/session"), 200},
		"POST /tables/inspect":                           {post("/tables/inspect?template=tpl_certificate", `[{"recipient name":"Ada"}]`), 200},
		"GET /kinds":                                     {get("/kinds"), 200},
		"POST /sources/test":                             {post("/sources/test", `{"kind":"http"}`), 200},
		"POST /sources/{name}/test":                      {post("/sources/shop/test", ""), 200},
		"POST /sinks/test":                               {post("/sinks/test", `{"kind":"webhook"}`), 200},
		"GET /overview":                                  {get("/overview"), 200},
		"GET /system":                                    {get("/system"), 200},
		"GET /images":                                    {get("/images?binding=cards"), 200},
		"GET /images/{file}":                             {get("/images/" + hash + ".png"), 200},
		"GET /images/{file}/about":                       {get("/images/" + hash + ".png/about"), 200},
		"GET /b/{path...}":                               {get("/b/cards/SKU-1.png"), 200},
		"GET /bindings":                                  {get("/bindings"), 200},
		"GET /bindings/{name}":                           {get("/bindings/cards"), 200},
		"GET /bindings/{name}/rows":                      {get("/bindings/cards/rows"), 200},
		"GET /bindings/{name}/rows/{key}":                {get("/bindings/cards/rows/SKU-1"), 200},
		"GET /bindings/{name}/pipeline":                  {get("/bindings/cards/pipeline"), 200},
		"GET /bindings/{name}/readings":                  {get("/bindings/cards/readings"), 200},
		"GET /bindings/{name}/changes":                   {get("/bindings/cards/changes"), 200},
		"POST /bindings":                                 {post("/bindings", `{"name":"cards","template":"tpl_certificate"}`), 201},
		"PUT /bindings/{name}":                           {call{method: http.MethodPut, path: "/bindings/cards", body: `{"template":"tpl_certificate"}`}, 200},
		"DELETE /bindings/{name}":                        {call{method: http.MethodDelete, path: "/bindings/cards?images=remove"}, 204},
		"POST /bindings/{name}/pause":                    {post("/bindings/cards/pause", ""), 200},
		"POST /bindings/{name}/resume":                   {post("/bindings/cards/resume", ""), 200},
		"POST /bindings/{name}/preview":                  {post("/bindings/cards/preview", `{"key":"SKU-1"}`), 200},
		"GET /experiments":                               {get("/experiments"), 200},
		"POST /experiments":                              {post("/experiments", strings.ReplaceAll(strings.ReplaceAll(likeExperiment, "spring-banner", "summer"), `"banner"`, `"tpl_certificate"`)), 201},
		"GET /experiments/{id}":                          {get("/experiments/spring-banner"), 200},
		"PATCH /experiments/{id}":                        {call{method: http.MethodPatch, path: "/experiments/spring-banner", body: `{"name":"Spring"}`}, 200},
		"DELETE /experiments/{id}":                       {call{method: http.MethodDelete, path: "/experiments/old-banner"}, 204},
		"GET /experiments/{id}/forecast":                 {get("/experiments/spring-banner/forecast?winnerVariantId=offer"), 200},
		"POST /experiments/{id}/start":                   {post("/experiments/spring-banner/start", ""), 409},
		"POST /experiments/{id}/pause":                   {post("/experiments/spring-banner/pause", ""), 200},
		"POST /experiments/{id}/resume":                  {post("/experiments/spring-banner/resume", ""), 200},
		"POST /experiments/{id}/complete":                {post("/experiments/spring-banner/complete", `{"winnerVariantId":"b","force":true}`), 200},
		"POST /experiments/{id}/rollout":                 {post("/experiments/spring-banner/rollout", `{"weights":{"a":1000,"b":9000}}`), 200},
		"GET /experiments/{id}/results":                  {get("/experiments/spring-banner/results"), 200},
		"GET /experiments/{id}/export.csv":               {get("/experiments/spring-banner/export.csv"), 200},
		"DELETE /experiments/{id}/units/{unit}":          {call{method: http.MethodDelete, path: "/experiments/spring-banner/units/u%2F1"}, 204},
		"GET /sources":                                   {get("/sources"), 200},
		"POST /sources":                                  {post("/sources", `{"name":"shop"}`), 201},
		"GET /sources/{name}":                            {get("/sources/shop"), 200},
		"PUT /sources/{name}":                            {call{method: http.MethodPut, path: "/sources/shop", body: `{}`}, 200},
		"DELETE /sources/{name}":                         {call{method: http.MethodDelete, path: "/sources/shop"}, 204},
		"GET /sinks":                                     {get("/sinks"), 200},
		"POST /sinks":                                    {post("/sinks", `{"name":"hook"}`), 201},
		"GET /sinks/{name}":                              {get("/sinks/hook"), 200},
		"PUT /sinks/{name}":                              {call{method: http.MethodPut, path: "/sinks/hook", body: `{}`}, 200},
		"DELETE /sinks/{name}":                           {call{method: http.MethodDelete, path: "/sinks/hook"}, 204},
		"POST /sinks/{name}/test":                        {post("/sinks/hook/test", ""), 200},
		"POST /sinks/{name}/pause":                       {post("/sinks/hook/pause", ""), 200},
		"POST /sinks/{name}/resume":                      {post("/sinks/hook/resume", ""), 200},
		"POST /sources/{name}/resnapshot":                {post("/sources/shop/resnapshot", ""), 422},
		"GET /sources/{name}/quarantine":                 {get("/sources/shop/quarantine"), 200},
		"POST /sources/{name}/quarantine/replay":         {post("/sources/shop/quarantine/replay", ""), 200},
		"POST /sources/{name}/quarantine/discard":        {post("/sources/shop/quarantine/discard", ""), 200},
		"POST /sinks/{name}/redeliver":                   {post("/sinks/hook/redeliver", `{"since":"2h"}`), 202},
		"GET /deliveries":                                {get("/deliveries?sink=hook&state=dead&since=7d&limit=1"), 200},
		"GET /deliveries/{id}":                           {get("/deliveries/dlv_dead"), 200},
		"POST /deliveries/{id}/replay":                   {post("/deliveries/dlv_dead/replay", ""), 202},
		"POST /deliveries/{id}/discard":                  {post("/deliveries/dlv_dead/discard", `{"reason":"closed"}`), 200},
		"GET /dead-letters":                              {get("/dead-letters"), 200},
		"POST /dead-letters/replay":                      {post("/dead-letters/replay", `{"cause":"cause_a"}`), 202},
		"POST /dead-letters/discard":                     {post("/dead-letters/discard", `{"sink":"hook","reason":"closed"}`), 200},
		"POST /bindings/{name}/refresh":                  {post("/bindings/cards/refresh", ""), 202},
		"POST /bindings/{name}/run":                      {post("/bindings/cards/run", `{"at":"2026-10-01"}`), 202},
		"GET /bindings/{name}/guard":                     {get("/bindings/cards/guard"), 200},
		"POST /bindings/{name}/guard/accept":             {post("/bindings/cards/guard/accept", ""), 200},
		"GET /s/{file}":                                  {get("/s/spring.png"), 200},
		"GET /s/{experiment}/{file}":                     {get("/s/spring/u1.png"), 200},
		"GET /s/{experiment}/click":                      {get("/s/spring/click"), 302},
		"GET /s/{experiment}/{unit}/click":               {get("/s/spring/u1/click"), 302},
		"GET /s/{experiment}/pixel.gif":                  {get("/s/spring/pixel.gif"), 200},
		"GET /s/{experiment}/{unit}/pixel.gif":           {get("/s/spring/u1/pixel.gif"), 200},
		"POST /s/events":                                 {reported(`{"experiment":"spring","event":"view","unit":"u1"}`), 200},
		"POST /experiments/{id}/assignments":             {post("/experiments/spring-banner/assignments", `{"units":["u1"]}`), 200},
		"GET /copilot/models":                            {get("/copilot/models"), 200},
		"POST /copilot/runs":                             {post("/copilot/runs", aRun), 201},
		"GET /copilot/runs":                              {get("/copilot/runs?limit=1"), 200},
		"GET /copilot/runs/{id}":                         {get("/copilot/runs/run_0"), 200},
		"GET /copilot/runs/{id}/events":                  {get("/copilot/runs/run_0/events"), 200},
		"GET /copilot/runs/{id}/pictures/{name}":         {get("/copilot/runs/run_0/pictures/1"), 200},
		"POST /copilot/runs/{id}/cancel":                 {post("/copilot/runs/run_0/cancel", ""), 200},
		"POST /copilot/runs/{id}/answer":                 {post("/copilot/runs/run_0/answer", `{"question":"q1","answer":"yes"}`), 200},
		"POST /copilot/runs/{id}/accept":                 {post("/copilot/runs/run_0/accept", ""), 200},
		"POST /copilot/runs/{id}/discard":                {post("/copilot/runs/run_0/discard", ""), 200},
		"POST /copilot/runs/{id}/steps/{n}/accept":       {post("/copilot/runs/run_0/steps/1/accept", ""), 200},
		"POST /copilot/runs/{id}/steps/{n}/reject":       {post("/copilot/runs/run_0/steps/1/reject", ""), 200},
		"POST /copilot/runs/{id}/steps/{n}/undo":         {post("/copilot/runs/run_0/steps/1/undo", ""), 200},
		"POST /copilot/runs/{id}/candidates/{name}/pick": {post("/copilot/runs/run_0/candidates/mesh/pick", ""), 200},
		"POST /copilot/runs/{id}/experiment":             {post("/copilot/runs/run_0/experiment", `{"slug":"story-or-not"}`), 201},
		"GET /audit":                                     {get("/audit?limit=1"), 200},
		"GET /copilot/audit":                             {get("/copilot/audit?limit=1"), 200},
		"POST /hooks/{path}":                             {post("/hooks/crm", `[{"id":1}]`), 200},
		"GET /webhook-subscriptions":                     {get("/webhook-subscriptions"), 200},
		"POST /webhook-subscriptions":                    {post("/webhook-subscriptions", orderOfOne), 201},
		"GET /webhook-subscriptions/{id}":                {get("/webhook-subscriptions/sub_0"), 200},
		"PUT /webhook-subscriptions/{id}":                {call{method: http.MethodPut, path: "/webhook-subscriptions/sub_0", body: orderOfOne}, 200},
		"PATCH /webhook-subscriptions/{id}":              {call{method: http.MethodPatch, path: "/webhook-subscriptions/sub_0", body: `{}`}, 200},
		"DELETE /webhook-subscriptions/{id}":             {call{method: http.MethodDelete, path: "/webhook-subscriptions/sub_9"}, 404},
		"POST /webhook-subscriptions/{id}/pause":         {post("/webhook-subscriptions/sub_0/pause", ""), 200},
		"POST /webhook-subscriptions/{id}/resume":        {post("/webhook-subscriptions/sub_0/resume", ""), 200},
		"POST /webhook-subscriptions/{id}/rotate-secret": {post("/webhook-subscriptions/sub_0/rotate-secret", ""), 200},
		"POST /webhook-subscriptions/{id}/test":          {post("/webhook-subscriptions/sub_0/test", ""), 200},
		"GET /keys":                                      {get("/keys"), 200},
		"POST /keys":                                     {post("/keys", `{"name":""}`), 422},
		"DELETE /keys/{id}":                              {call{method: http.MethodDelete, path: "/keys/config:ci"}, 404},
		"DELETE /jobs/{id}/rows/{key}":                   {call{method: http.MethodDelete, path: "/jobs/batch_1/rows/C-1"}, 200},
		"DELETE /jobs/{id}":                              {call{method: http.MethodDelete, path: "/jobs/batch_1"}, 200},
		"DELETE /bindings/{name}/rows/{key}":             {call{method: http.MethodDelete, path: "/bindings/cards/rows/SKU-1"}, 200},
		"POST /bindings/{name}/rows/{key}/recall":        {post("/bindings/cards/rows/SKU-1/recall", ""), 200},
		"POST /deletions":                                {post("/deletions", `{"key":"SKU-1"}`), 200},
		"POST /sweep":                                    {post("/sweep", ""), 202},
		"GET /events":                                    {call{method: http.MethodHead, path: "/events"}, 200},
		"GET /{$}":                                       {get("/"), 200},
		"GET /studio/{path...}":                          {get("/studio/door.css"), 200},
		"GET /studio/frame":                              {get("/studio/frame"), 200},
		"GET /studio/remote":                             {get("/studio/remote?at=x.y"), 403},
		"GET /favicon.ico":                               {get("/favicon.ico"), 200},
		"POST /session":                                  {post("/session", `{"key":"`+fullKey+`"}`), 204},
		"DELETE /session":                                {call{method: http.MethodDelete, path: "/session"}, 204},
		"GET /openapi.json":                              {get("/openapi.json"), 200},
		"GET /docs":                                      {get("/docs"), 200},
		"GET /docs/{page}":                               {get("/docs/keys.md"), 200},
		"GET /llms.txt":                                  {get("/llms.txt"), 200},
		"GET /llms-full.txt":                             {get("/llms-full.txt"), 200},
		"GET /operations":                                {get("/operations"), 200},
		"POST /mcp": {call{method: http.MethodPost, path: "/mcp", body: `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`,
			header: map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}}, 200},
		"GET /errors/{slug}": {get("/errors/not_ready"), 200},
		"GET /healthz":       {get("/healthz"), 200},
		"GET /readyz":        {get("/readyz"), 200},
		"GET /metrics":       {get("/metrics"), 200},
	}
}

// withoutKey are the routes that answer everybody.
var withoutKey = map[string]bool{
	"GET /i/{file}": true, "GET /images/{file}": true, "GET /b/{path...}": true, "GET /{$}": true, "GET /studio/{path...}": true, "GET /studio/frame": true, "GET /favicon.ico": true,
	"GET /s/{file}": true, "GET /s/{experiment}/{file}": true, "GET /s/{experiment}/click": true, "GET /s/{experiment}/{unit}/click": true,
	"GET /s/{experiment}/pixel.gif": true, "GET /s/{experiment}/{unit}/pixel.gif": true, "POST /s/events": true,
	"POST /hooks/{path}": true, "POST /session": true, "DELETE /session": true, "GET /errors/{slug}": true, "GET /openapi.json": true, "GET /docs": true, "GET /docs/{page}": true, "GET /llms.txt": true, "GET /llms-full.txt": true, "GET /healthz": true, "GET /readyz": true,
}

func TestEveryRouteAnswersAndAsksForItsKey(t *testing.T) {
	w := newWorld()
	all := ways(w)
	s, behind := mustServer(t, open(), w), mustServer(t, locked(), w)
	for _, rt := range routes() {
		way, ok := all[rt.pattern]
		if !ok {
			t.Errorf("no request for %s", rt.pattern)
			continue
		}
		delete(all, rt.pattern)
		if out := way.call.to(t, s); out.Code != way.status {
			t.Errorf("%s: status %d, want %d: %s", rt.pattern, out.Code, way.status, out.Body)
		}
		if out := way.call.bearer(fullKey).to(t, behind); out.Code != way.status {
			t.Errorf("%s with a key: status %d, want %d: %s", rt.pattern, out.Code, way.status, out.Body)
		}
		want := http.StatusUnauthorized
		if withoutKey[rt.pattern] {
			want = way.status
		}
		if out := way.call.to(t, behind); out.Code != want {
			t.Errorf("%s without a key: status %d, want %d: %s", rt.pattern, out.Code, want, out.Body)
		}
	}
	for pattern := range all {
		t.Errorf("a request for %s, which is no route", pattern)
	}
}

// A key with every right but the one that a route asks for is refused there.
func TestEveryRouteWantsItsScope(t *testing.T) {
	w := newWorld()
	all := ways(w)
	var keys []Key
	for _, asked := range scopes {
		var others []Scope
		for _, one := range scopes {
			if !(&principal{scopes: []Scope{one}}).may(asked) {
				others = append(others, one)
			}
		}
		keys = append(keys, Key{Name: string(asked), Key: secret("key-with-all-but-" + string(asked)), Scopes: others})
	}
	s, asked := mustServer(t, locked(keys...), w), 0
	for _, rt := range routes() {
		if rt.scope == "" {
			continue
		}
		asked++
		mustProblem(t, all[rt.pattern].call.bearer("key-with-all-but-"+string(rt.scope)).to(t, s), 403, "scope_missing")
	}
	if asked < 100 {
		t.Errorf("only %d routes want a scope", asked)
	}
}

func TestEveryAliasLeadsToARoute(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for alias, want := range map[string]string{
		"POST /v1/templates/t/batch-render":        "POST /templates/{id}/batch-render",
		"GET /template/t/variables":                "GET /templates/{id}/variables",
		"GET /templates/batch/b/results":           "GET /jobs/{id}",
		"GET /templates/batch/b/events":            "GET /jobs/{id}/events",
		"POST /templates/batch/b/cancel":           "POST /jobs/{id}/cancel",
		"POST /v1/template/batch/b/retry":          "POST /jobs/{id}/retry",
		"GET /templates/batch/b":                   "GET /jobs/{id}",
		"POST /templates/expression/validate":      "POST /expressions/validate",
		"POST /template/expression/test":           "POST /expressions/test",
		"GET /expression/functions":                "GET /expressions/functions",
		"GET /jobs/b/results":                      "GET /jobs/{id}",
		"POST /templates/t/batch":                  "POST /templates/{id}/batch-render",
		"POST /v1/template/t/render":               "POST /templates/{id}/render",
		"GET /template/t/render":                   "GET /templates/{id}/render",
		"POST /v1/image":                           "POST /image",
		"POST /v1/template/t/batch":                "POST /templates/{id}/batch-render",
		"GET /templates/t/draft/publish":           "GET /templates/{id}/publish",
		"GET /v1/templates/batch/b/results.ndjson": "GET /jobs/{id}/results.ndjson",
		"GET /experiments/api":                     "GET /experiments",
		"POST /v1/experiments/api/e/start":         "POST /experiments/{id}/start",
	} {
		method, path, _ := strings.Cut(alias, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, canonicalPath(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := s.mux.Handler(r); got != want {
			t.Errorf("%s leads to %q, want %q", alias, got, want)
		}
	}
	walked := map[string]bool{"/v1/a": true, "/template/a": true, "/templates/batch/a/results": true, "/templates/batch/a/b": true,
		"/templates/batch/a": true, "/templates/expression/a": true, "/expression/a": true, "/jobs/a/results": true, "/templates/a/batch": true, "/templates/a/draft/publish": true, "/experiments/api": true, "/experiments/api/a": true}
	for _, a := range aliases {
		fits := false
		for path := range walked {
			if _, ok := match(a.from, path); ok {
				fits = true
			}
		}
		if !fits {
			t.Errorf("the alias %s is walked by no path here", a.from)
		}
	}
}

func TestUnknownRouteNamesTheNearestOne(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for path, want := range map[string]string{
		"/job/batch_1":         "GET /jobs/{id}",
		"/binding":             "GET /bindings",
		"/healtz":              "GET /healthz",
		"/bindings/cards/row":  "GET /bindings/{name}/rows",
		"/templates/t/var":     "",
		"/something-else":      "",
		"/jobs/b/result.ndjso": "GET /jobs/{id}/results.ndjson",
	} {
		d := mustProblem(t, get(path).to(t, s), 404, "route_not_found")
		if want != "" && d.Hint != "did you mean "+want+"?" {
			t.Errorf("%s: hint %q, want %s", path, d.Hint, want)
		}
	}
	if d := mustProblem(t, get("/something-else").to(t, s), 404, "route_not_found"); d.Hint != "" {
		t.Errorf("hint %q for a path that is near nothing", d.Hint)
	}
}

func TestWrongMethodNamesTheRightOnes(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	out := call{method: http.MethodPut, path: "/jobs/batch_1"}.to(t, s)
	d := mustProblem(t, out, 405, "method_not_allowed")
	if got := out.Header().Get("Allow"); got != "GET, DELETE, HEAD" || !strings.Contains(d.Hint, "GET") {
		t.Errorf("Allow %q, hint %q", got, d.Hint)
	}
}
