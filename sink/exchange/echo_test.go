package exchange_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/sink"
	httpsink "github.com/pictifyd/pictifyd/sink/http"
	"github.com/pictifyd/pictifyd/sink/sinktest"
	"github.com/pictifyd/pictifyd/sink/webhook"
)

// secretives are sinks with secrets in every place, all with hunter2 in them.
func secretives(tb testing.TB, host string) map[string]sink.Sink {
	tb.Helper()
	hook := webhook.Kind.Config().(*webhook.Config)
	hook.URL = "http://me:hunter2-pass@" + host + "/hook?token=hunter2-tok&x=hunter2-which-is-a-long-one"
	hook.Headers = map[string]config.Secret{"Authorization": config.NewSecret("Token hunter2+/header=")}
	own := httpsink.Kind.Config().(*httpsink.Config)
	own.URL = "http://" + host + "/c/{{ key }}?api_key=hunter2-key&k={{ key }}"
	own.Basic = &httpsink.Basic{User: "me", Password: config.NewSecret("hunter2-password")}
	own.JSON = map[string]any{"key": "key"}
	all := map[string]sink.Sink{}
	for name, open := range map[string]func() (sink.Sink, error){
		"webhook": func() (sink.Sink, error) { return webhook.Kind.New(hook, sink.Env{}) },
		"http":    func() (sink.Sink, error) { return httpsink.Kind.New(own, sink.Env{}) },
	} {
		s, err := open()
		if err != nil {
			tb.Fatal(err)
		}
		all[name] = s
	}
	return all
}

func mustHide(t *testing.T, name string, receipt sink.Receipt, err error) {
	t.Helper()
	sent, _ := json.Marshal(receipt.Sent)
	// bWU6aHVudGVyMi begins base64 of me:hunter2
	for _, text := range []string{fmt.Sprintf("%+v", receipt), string(sent), fmt.Sprint(err)} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "bWU6aHVudGVyMi") {
			t.Errorf("%s shows %s", name, text)
		}
	}
	if err == nil {
		t.Errorf("%s: no error", name)
	}
}

func TestReceiverThatRepeatsTheRequestShowsNoSecret(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Location", "https://other.example"+r.URL.String())
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, "%s %s %v %v %s", r.URL, r.URL.Query(), r.Header, r.Header["Authorization"], body)
	}))
	t.Cleanup(echo.Close)
	for name, s := range secretives(t, strings.TrimPrefix(echo.URL, "http://")) {
		receipt, err := s.Deliver(t.Context(), sinktest.Completed("a", 1))
		mustHide(t, name, receipt, err)
		if !strings.Contains(receipt.Body, "***") {
			t.Errorf("%s: the receipt has %q", name, receipt.Body)
		}
	}
}

// What is no HTTP is quoted by the client.
func TestReceiverThatAnswersWithTheRequestShowsNoSecret(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				line := req.Header.Get("Authorization") + req.URL.String()
				_, _ = fmt.Fprintf(conn, "%s\r\n\r\n", strings.ReplaceAll(line, " ", "_"))
			}
			_ = conn.Close()
		}
	}()
	for name, s := range secretives(t, listener.Addr().String()) {
		receipt, err := s.Deliver(t.Context(), sinktest.Completed("a", 1))
		mustHide(t, name, receipt, err)
		if !strings.Contains(fmt.Sprint(err), "malformed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
