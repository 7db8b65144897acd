package webhook_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
	"github.com/pictifyd/pictifyd/sink/webhook"
)

func TestEverySecretOfSeveralSigns(t *testing.T) {
	r := newReceiver(t, signing.NewSecret(), signing.NewSecret(), "a passphrase that is no base64!")
	c := newConfig(r)
	c.Secret, c.PreviousSecret, c.Secrets = config.Secret{}, config.Secret{}, nil
	for _, secret := range r.secrets {
		c.Secrets = append(c.Secrets, config.NewSecret(secret))
	}
	r.secrets = r.secrets[:2] // the library wants base64
	if _, err := mustSink(t, c).Deliver(t.Context(), sinktest.Completed("a", 1)); err != nil {
		t.Fatal(err)
	}
	h := r.all()[0].header
	if standard, older := len(strings.Fields(h.Get("webhook-signature"))), strings.Count(h.Get("X-Pictify-Signature"), "v1="); standard != 3 || older != 3 {
		t.Errorf("%d and %d signatures, want 3 of each: %v", standard, older, h)
	}
}

func TestSecretsAreWrittenInOnePlace(t *testing.T) {
	secret := config.NewSecret("one")
	many := make(config.Secrets, 11)
	for i := range many {
		many[i] = secret
	}
	for name, c := range map[string]struct {
		change func(*webhook.Config)
		want   string
	}{
		"secret too":          {func(c *webhook.Config) { c.Secret, c.Secrets = secret, config.Secrets{secret} }, "secrets"},
		"previous_secret too": {func(c *webhook.Config) { c.PreviousSecret, c.Secrets = secret, config.Secrets{secret} }, "secrets"},
		"one that is none":    {func(c *webhook.Config) { c.Secrets = config.Secrets{secret, config.NewSecret("whsec_%")} }, "secrets[1]"},
		"too many":            {func(c *webhook.Config) { c.Secrets = many }, "secrets"},
		"no room for a body":  {func(c *webhook.Config) { c.MaxBody = 100 }, "max_body"},
	} {
		cfg := newConfig(newReceiver(t))
		c.change(cfg)
		if got := problem.All(cfg.Validate()); cfg.Validate() == nil || len(got) != 1 || got[0].Path != c.want {
			t.Errorf("%s: %v, want one at %s", name, got, c.want)
		}
	}
}

func TestRowThatIsTooLargeIsLeftOutOfTheBody(t *testing.T) {
	r := newReceiver(t)
	c := newConfig(r)
	c.IncludeRow, c.MaxBody = true, 5000
	s := mustSink(t, c)
	for _, size := range []int{3000, 5000, 2 << 20} {
		d := sinktest.Completed("a", int64(size))
		d.Row = map[string]any{"text": strings.Repeat("x", size)}
		if _, err := s.Deliver(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		all := r.all()
		body := all[len(all)-1].body
		var sent struct {
			Data struct {
				URL       string
				Row       map[string]any
				Truncated bool
			}
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Fatal(err)
		}
		large := size > 4000
		if sent.Data.Truncated != large || (sent.Data.Row == nil) != large || sent.Data.URL == "" || len(body) > 5000 {
			t.Errorf("a row of %d bytes: %d bytes, truncated %v", size, len(body), sent.Data.Truncated)
		}
	}
}

// A row without its columns in the body is never truncated, however small the limit.
func TestBodyWithoutARowIsWhole(t *testing.T) {
	r := newReceiver(t)
	c := newConfig(r)
	c.MaxBody = 4000
	d := sinktest.Completed("a", 1)
	for range 100 {
		d.Outputs = append(d.Outputs, sink.Output{Name: "bad", Error: strings.Repeat("x", 100)})
	}
	if _, err := mustSink(t, c).Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if body := string(r.all()[0].body); strings.Contains(body, "truncated") || strings.Count(body, "bad") != 100 {
		t.Errorf("body = %.300s", body)
	}
}

func TestReceiptShowsWhatAVerifierNeedsAndNoSecret(t *testing.T) {
	r := newReceiver(t, signing.NewSecret())
	r.setIll(func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("your key " + req.Header.Get("X-Key") + " is wrong"))
	})
	c := newConfig(r)
	c.Headers = map[string]config.Secret{"X-Key": config.NewSecret("hunter2-hunter2")}
	receipt, err := mustSink(t, c).Deliver(t.Context(), sinktest.Completed("a", 1))
	if err == nil || strings.Contains(err.Error(), "hunter2") || receipt.Body != "your key *** is wrong" || receipt.Status != 401 {
		t.Errorf("deliver = %+v, %v", receipt, err)
	}
	got := r.all()[0]
	for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "X-Pictify-Signature", "Content-Type"} {
		if receipt.Sent.Header[name] != got.header.Get(name) || got.header.Get(name) == "" {
			t.Errorf("%s: shown %q, sent %q", name, receipt.Sent.Header[name], got.header.Get(name))
		}
	}
	if receipt.Sent.Body != string(got.body) || receipt.Sent.Header["X-Key"] != "***" || strings.Contains(receipt.Sent.URL, "token") {
		t.Errorf("shown: %+v", receipt.Sent)
	}
}
