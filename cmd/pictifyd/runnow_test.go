package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRunNowAsksAndWaits(t *testing.T) {
	const at = `"scheduledFor":"2026-10-01T04:00:00Z"`
	ends := map[string]string{
		"whole":  `{"jobId":"run_1","status":"completed","totalItems":3,"completedItems":3,"run":{"binding":"reports","rows":3,"changed":1,"unchanged":2}}`,
		"away":   `{"jobId":"run_1","status":"failed","run":{"error":"the source \"usage\" could not be read: no answer","errorCode":"source_failed"}}`,
		"held":   `{"jobId":"run_1","status":"failed","run":{"error":"the guard holds what this reading changed","errorCode":"guard_held"}}`,
		"failed": `{"jobId":"run_1","status":"partial","totalItems":3,"completedItems":2,"failedItems":1,"run":{"binding":"reports"}}`,
	}
	for _, c := range []struct {
		name, args, end string
		code            int
		out, errOut     string
		asked           string
	}{
		{"asks", "reports --at 2026-10-01", "whole", exitDone, "reports runs for 2026-10-01 04:00 UTC as job run_1", "", `{"at":"2026-10-01"}`},
		{"asks for now", "reports --json", "whole", exitDone, `"jobId":"run_1"`, "", `{}`},
		{"waits", "reports --wait", "whole", exitDone, "3 of 3 rows have their images; 1 changed, 2 are as they were", "", `{}`},
		{"says where the results are", "reports --wait", "whole", exitDone, "/jobs/run_1/results.csv", "", `{}`},
		{"waits for JSON", "reports --wait --json", "whole", exitDone, `"completedItems":3`, "", `{}`},
		{"a source that is away", "reports --wait", "away", exitSurroundings, "", "could not be read", `{}`},
		{"what the guard holds", "reports --wait", "held", exitInput, "", "the guard holds", `{}`},
		{"rows that failed", "reports --wait", "failed", exitInput, "2 of 3 rows", "failed.csv", `{}`},
		{"no binding of the name", "reprots", "", exitInput, "", `there is no binding "reprots"`, `{}`},
		{"no moment", "reports --at yesterday", "", exitInput, "", `at: "yesterday" is no moment (write a day)`, `{"at":"yesterday"}`},
		{"no name", "", "", exitInput, "", "binding", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked string
			daemon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.Method + " " + r.URL.Path {
				case "POST /bindings/reports/run":
					body, _ := io.ReadAll(r.Body)
					if asked = string(body); strings.Contains(asked, "yesterday") {
						w.WriteHeader(http.StatusUnprocessableEntity)
						fmt.Fprint(w, `{"detail":"no moment","code":"invalid","hint":"write a day","errors":[{"field":"at","message":"\"yesterday\" is no moment"}]}`)
						return
					}
					w.WriteHeader(http.StatusAccepted)
					fmt.Fprint(w, `{"binding":"reports","jobId":"run_1","statusUrl":"http://else.example/jobs/run_1",`+at+`}`)
				case "GET /jobs/run_1":
					fmt.Fprint(w, ends[c.end])
				default:
					body, _ := io.ReadAll(r.Body)
					asked = string(body)
					w.WriteHeader(http.StatusNotFound)
					fmt.Fprint(w, `{"detail":"there is no binding \"reprots\"","code":"binding_not_found"}`)
				}
			}))
			defer daemon.Close()
			t.Setenv("PICTIFYD_SERVER", daemon.URL)
			code, out, errOut := call(append([]string{"run-now"}, strings.Fields(c.args)...)...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errOut, c.errOut) || asked != c.asked {
				t.Errorf("exit %d, asked %s\n%s\n%s", code, asked, out, errOut)
			}
		})
	}
}
