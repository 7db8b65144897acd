package httpsink_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	httpsink "github.com/pictifyd/pictifyd/sink/http"
)

func TestStatusDecidesWhatTheQueueDoes(t *testing.T) {
	for _, c := range []struct {
		yaml   string
		event  string
		status int
		want   string // "", "again", "never", "gone"
	}{
		{"", "", 200, ""}, {"", "", 204, ""}, {"", "", 299, ""},
		{"", "", 301, "never"}, {"", "", 307, "never"}, {"", "", 304, "never"},
		{"", "", 400, "never"}, {"", "", 413, "never"}, {"", "", 422, "never"},
		{"", "", 401, "again"}, {"", "", 403, "again"}, {"", "", 404, "again"}, {"", "", 409, "again"}, {"", "", 429, "again"}, {"", "", 500, "again"}, {"", "", 503, "again"},
		{"", "", 410, "never"}, {"static", "", 410, "gone"},
		{"", sink.ImageRemoved, 404, ""}, {"", sink.ImageRemoved, 410, ""}, {"", sink.ImageRemoved, 400, "never"},
		{"success: [200, 3xx]", "", 302, ""}, {"success: [200, 3xx]", "", 204, "again"},
		{"permanent: [404, 5xx]", "", 404, "never"}, {"permanent: [404, 5xx]", "", 503, "never"}, {"permanent: []", "", 400, "again"},
	} {
		r := newRecorder(t)
		r.answers(status(c.status, "because"))
		url := "HOST/c/{{ key }}?token=hunter2"
		if c.yaml == "static" {
			url, c.yaml = "HOST/c", ""
		}
		s := mustSink(t, r.URL, fmt.Sprintf("kind: http\nurl: %q\non: { image.removed: {} }\n%s", url, c.yaml))
		d := completed("A", 1)
		if c.event != "" {
			d.Event = c.event
		}
		receipt, err := s.Deliver(t.Context(), d)
		got := ""
		switch {
		case sink.IsGone(err):
			got = "gone"
		case retry.IsPermanent(err):
			got = "never"
		case err != nil:
			got = "again"
		}
		if got != c.want || receipt.Status != c.status {
			t.Errorf("%s %s %d: %v is %q, want %q; receipt %+v", c.yaml, c.event, c.status, err, got, c.want, receipt)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), fmt.Sprintf("%d from %s/c", c.status, r.URL))) {
			t.Errorf("%d: error %q", c.status, err)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for _, code := range []int{429, 502, 503, 504} {
		r := newRecorder(t)
		r.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(code)
		})
		_, err := mustSink(t, r.URL, `{ kind: http, url: HOST/ }`).Deliver(t.Context(), completed("A", 1))
		if wait, _ := retry.Wait(err); wait != 2*time.Minute {
			t.Errorf("%d: waits %v", code, wait)
		}
	}
}

func TestAnswerMustBeWhatIsExpected(t *testing.T) {
	for answer, want := range map[string]string{
		`{"success":true,"errors":[]}`:            "",
		`{"success":false,"errors":[{"code":1}]}`: `200 from HOST/, but expect is not met: "{\"success\":false`,
		`{"success":"no"}`:                        "expect is not met",
		`{}`:                                      "expect is not met",
		`<html>`:                                  "of which expect can't be asked",
		``:                                        "of which expect can't be asked",
		`{"success":true}` + strings.Repeat(" ", 1<<20): "its answer was cut or is larger",
		`{"success":true} {"success":true}`:             "of which expect can't be asked",
		`[]`:                                            "of which expect can't be asked",
	} {
		r := newRecorder(t)
		r.answers(status(200, answer))
		_, err := mustSink(t, r.URL, `{ kind: http, url: HOST/, expect: body.success == true and status == 200 }`).Deliver(t.Context(), completed("A", 1))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", answer, err)
			}
			continue
		}
		if err == nil || retry.IsPermanent(err) || !strings.Contains(err.Error(), strings.ReplaceAll(want, "HOST", r.URL)) {
			t.Errorf("%.60s: %v; want %q, not permanent", answer, err, want)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere, r := newRecorder(t), newRecorder(t)
	r.answers(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	receipt, err := mustSink(t, r.URL, `{ kind: http, url: HOST/, bearer: "${TOKEN}" }`).Deliver(t.Context(), completed("A", 1))
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != httpsink.RedirectRefused || !retry.IsPermanent(err) || receipt.Header["Location"] != elsewhere.URL {
		t.Errorf("deliver = %v, receipt %v", err, receipt)
	}
	if n := len(elsewhere.all()); n != 0 {
		t.Errorf("%d requests arrived elsewhere", n)
	}
}

// Some receivers repeat the request in their answers.
func TestSecretsAreNotInReceiptsAndErrors(t *testing.T) {
	r := newRecorder(t)
	r.answers(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("X-Request-Id", req.Header.Get("X-Key"))
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"auth": req.Header.Get("Authorization"), "key": req.Header.Get("X-Key")})
	})
	for _, auth := range []string{`bearer: "${TOKEN}"`, `basic: { user: me, password: "${TOKEN}" }`, `headers: { X-Key: "${TOKEN}" }`, `headers: { X-Key: "key=value-of-TOKEN" }`} {
		receipt, err := mustSink(t, r.URL, "kind: http\nurl: HOST/\n"+auth).Deliver(t.Context(), completed("A", 1))
		for _, secret := range []string{"value-of-TOKEN", "bWU6dmFsdWUtb2YtVE9LRU4="} {
			if text := fmt.Sprintf("%v %+v %+v", err, receipt, *receipt.Sent); strings.Contains(text, secret) {
				t.Errorf("%s: shown in %s", auth, text)
			}
		}
		if err == nil || receipt.Status != 400 {
			t.Errorf("%s: %v, %+v", auth, err, receipt)
		}
	}
}

func TestReceiptIsTheAnswer(t *testing.T) {
	r := newRecorder(t)
	r.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Other", "1")
		_, _ = io.WriteString(w, `{"id":1}`+strings.Repeat("x", 5000))
	})
	receipt := mustDeliver(t, mustSink(t, r.URL, `{ kind: http, url: "HOST/?a=1", json: { k: key } }`), completed("A", 1))
	want := sink.Receipt{
		Status: 200, Header: map[string]string{"Content-Type": "application/json"}, Body: `{"id":1}` + strings.Repeat("x", 1016),
		Sent: &sink.Sent{
			Method: "POST", URL: r.URL + "/", Body: `{"k":"A"}`,
			Header: map[string]string{"Content-Type": "application/json", "Idempotency-Key": "dlv_41_1", "User-Agent": "pictifyd"},
		},
	}
	if diff := cmp.Diff(want, receipt); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
}
