// Command receiver is the other side of the monthly report's webhook: it checks the
// signature, and prints who got what. A billing system would send its e-mails here.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secret = "whsec_bW9udGhseS1yZXBvcnQtZGVtby1zZWNyZXQ=" // as in pictifyd.yaml

// A run is what a webhook tells, as far as it is of use here.
type run struct {
	Event string
	Data  struct {
		Binding, Status, Error  string
		ScheduledFor            time.Time
		TotalCount, FailedCount int
		ChangedCount            int
		ResultsURL              string
		Results                 []struct {
			Key     string
			Outputs []struct{ Output, URL string }
		}
		Errors []struct{ Key, Error string }
	}
}

func main() {
	port := os.Getenv("HOOK_PORT")
	if port == "" {
		port = "8083"
	}
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	http.HandleFunc("POST /hooks/reports", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
		if err == nil {
			err = wh.Verify(body, r.Header)
		}
		var told run
		if err == nil {
			err = json.Unmarshal(body, &told)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		show(told)
		w.WriteHeader(http.StatusNoContent)
	})
	server := &http.Server{Addr: "127.0.0.1:" + port, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

func show(told run) {
	d := told.Data
	fmt.Printf("%s of %s for %s: %s, %d rows, %d of them changed, %d failed %s\n", told.Event, d.Binding,
		d.ScheduledFor.Format(time.DateOnly), d.Status, d.TotalCount, d.ChangedCount, d.FailedCount, d.Error)
	for _, r := range d.Results {
		fmt.Println(" ", r.Key)
		for _, o := range r.Outputs {
			fmt.Printf("    %-10s %s\n", o.Output, o.URL)
		}
	}
	for _, e := range d.Errors {
		fmt.Printf("  %s has none: %s\n", e.Key, e.Error)
	}
}
