// Command receiver is the other side of the quickstart's webhook: it checks
// each signature and prints one line per delivery.
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

const secret = "whsec_cXVpY2tzdGFydC1kZW1vLXNlY3JldA==" // as in pictifyd.yaml

func main() {
	port := os.Getenv("HOOK_PORT")
	if port == "" {
		port = "8081"
	}
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	http.HandleFunc("POST /hooks/images", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
		if err == nil {
			err = wh.Verify(body, r.Header)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var hook struct {
			Event string
			Data  struct{ Key, URL string }
		}
		if err := json.Unmarshal(body, &hook); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Printf("%s  webhook  %-16s %-8s %s\n", time.Now().Format("15:04:05.000"), hook.Event, hook.Data.Key, hook.Data.URL)
		w.WriteHeader(http.StatusNoContent)
	})
	server := &http.Server{Addr: "127.0.0.1:" + port, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
