package api

import "testing"

func TestAliasesLeadToOurOwnPaths(t *testing.T) {
	for from, want := range map[string]string{
		"/template/tpl_certificate/batch":        "/templates/tpl_certificate/batch-render",
		"/v1/template/tpl/batch":                 "/templates/tpl/batch-render",
		"/v1/templates/tpl/batch-render":         "/templates/tpl/batch-render",
		"/templates/batch/batch_1/results":       "/jobs/batch_1",
		"/v1/templates/batch/batch_1/results":    "/jobs/batch_1",
		"/template/batch/batch_1/results":        "/jobs/batch_1",
		"/templates/batch/batch_1/events":        "/jobs/batch_1/events",
		"/templates/batch/b/results.ndjson":      "/jobs/b/results.ndjson",
		"/jobs/batch_1/results":                  "/jobs/batch_1",
		"/templates/expression/validate":         "/expressions/validate",
		"/v1/template/expression/functions":      "/expressions/functions",
		"/expression/test":                       "/expressions/test",
		"/template/tpl":                          "/templates/tpl",
		"/template/tpl/variables":                "/templates/tpl/variables",
		"/v1/b/cards/a%2Fb.png":                  "/b/cards/a%2Fb.png",
		"/b/template/batch.png":                  "/b/template/batch.png",
		"/":                                      "/",
		"/v1/":                                   "/v1/",
		"/templates/batch":                       "/templates/batch",
		"/template":                              "/template",
		"/images/v1.png":                         "/images/v1.png",
		"/templates/with%2Fslash/batch":          "/templates/with%2Fslash/batch-render",
		"/v1/jobs/batch_1/results.ndjson":        "/jobs/batch_1/results.ndjson",
		"/v1/template/batch/batch_1/results":     "/jobs/batch_1",
		"/v1/bindings/cards/guard/accept":        "/bindings/cards/guard/accept",
		"/templates/batch/batch_1":               "/jobs/batch_1",
		"/templates/batch/batch_1/not/a/route":   "/jobs/batch_1/not/a/route",
		"/templates/tpl_certificate/batch/extra": "/templates/tpl_certificate/batch/extra",
	} {
		if got := canonicalPath(from); got != want {
			t.Errorf("%s leads to %s, want %s", from, got, want)
		}
	}
}
