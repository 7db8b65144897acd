package signing_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/pictifyd/pictifyd/internal/signing"
)

func message() signing.Message {
	return signing.Message{ID: "dlv_1", Event: "batch.completed", Sent: time.Now(), Body: []byte(`{"a":1}`)}
}

func mustSign(tb testing.TB, m signing.Message, secrets ...string) http.Header {
	tb.Helper()
	h := make(http.Header)
	if err := m.Sign(h, secrets...); err != nil {
		tb.Fatalf("sign: %v", err)
	}
	return h
}

func mustReceiver(tb testing.TB, secret string) *standardwebhooks.Webhook {
	tb.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		tb.Fatalf("new receiver: %v", err)
	}
	return w
}

func TestStandardReceiverAcceptsSignature(t *testing.T) {
	for name, secret := range map[string]string{
		"new":            signing.NewSecret(),
		"without prefix": strings.TrimPrefix(signing.NewSecret(), "whsec_"),
		"specification":  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	} {
		m := message()
		if err := mustReceiver(t, secret).Verify(m.Body, mustSign(t, m, secret)); err != nil {
			t.Errorf("%s secret: %v", name, err)
		}
	}
}

func TestPassphraseSignsAsItIs(t *testing.T) {
	const secret = "correct horse battery staple!"
	m := message()
	w, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Verify(m.Body, mustSign(t, m, secret)); err != nil {
		t.Errorf("verify: %v", err)
	}
}

func TestChangedMessageIsRefused(t *testing.T) {
	secret := signing.NewSecret()
	m := message()
	for name, change := range map[string]func(h http.Header, body *[]byte){
		"body":      func(_ http.Header, body *[]byte) { *body = []byte(`{"a":2}`) },
		"id":        func(h http.Header, _ *[]byte) { h.Set("webhook-id", "dlv_2") },
		"timestamp": func(h http.Header, _ *[]byte) { h.Set("webhook-timestamp", fmt.Sprint(m.Sent.Unix()+1)) },
	} {
		h, body := mustSign(t, m, secret), m.Body
		change(h, &body)
		if err := mustReceiver(t, secret).Verify(body, h); err == nil {
			t.Errorf("changed %s is accepted", name)
		}
	}
}

func TestBothSecretsAreAcceptedDuringRotation(t *testing.T) {
	old, next, foreign := signing.NewSecret(), signing.NewSecret(), signing.NewSecret()
	m := message()
	h := mustSign(t, m, next, old)
	for _, secret := range []string{old, next} {
		if err := mustReceiver(t, secret).Verify(m.Body, h); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
	if err := mustReceiver(t, foreign).Verify(m.Body, h); err == nil {
		t.Error("a foreign secret verifies")
	}
	if got := strings.Count(h.Get("X-Pictify-Signature"), "v1="); got != 2 {
		t.Errorf("X-Pictify-Signature has %d signatures, want 2", got)
	}
}

func TestPictifyHeadersAreOfTimestampAndBody(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	m := message()
	h := mustSign(t, m, secret)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", m.Sent.Unix(), m.Body)
	want := fmt.Sprintf("t=%d,v1=%s", m.Sent.Unix(), hex.EncodeToString(mac.Sum(nil)))
	if got := h.Get("X-Pictify-Signature"); got != want {
		t.Errorf("X-Pictify-Signature = %q, want %q", got, want)
	}
	if got := h.Get("X-Pictify-Event"); got != "batch.completed" {
		t.Errorf("X-Pictify-Event = %q", got)
	}
	if got := h.Get("X-Pictify-Delivery-Id"); got != "dlv_1" {
		t.Errorf("X-Pictify-Delivery-Id = %q", got)
	}
}

func TestWithoutSecretThereIsNoSignature(t *testing.T) {
	h := mustSign(t, message())
	if h.Get("webhook-id") == "" || h.Get("webhook-timestamp") == "" {
		t.Errorf("headers = %v, want id and timestamp", h)
	}
	for _, name := range []string{"webhook-signature", "X-Pictify-Signature"} {
		if h.Get(name) != "" {
			t.Errorf("%s = %q, want none", name, h.Get(name))
		}
	}
}

func TestUnusableSecretIsNamedWithoutBeingShown(t *testing.T) {
	for _, secret := range []string{"", "whsec_", "whsec_not base64 hunter2"} {
		err := signing.CheckSecret(secret)
		if err == nil {
			t.Errorf("CheckSecret(%q) = nil", secret)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error shows the secret: %v", err)
		}
		if err := message().Sign(make(http.Header), secret); err == nil {
			t.Errorf("Sign with %q = nil", secret)
		}
	}
}

func TestNewSecretsAreLongAndDiffer(t *testing.T) {
	a, b := signing.NewSecret(), signing.NewSecret()
	if a == b {
		t.Error("two new secrets are equal")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a, "whsec_"))
	if err != nil || len(key) != 32 {
		t.Errorf("secret %q has %d bytes, %v; want 32", a, len(key), err)
	}
}

func TestSignedPathVerifies(t *testing.T) {
	const path = "/i/card.png?title=a%20b&v=1"
	signature := signing.Sign(path, "new")
	for name, c := range map[string]struct {
		path, signature string
		secrets         []string
		want            bool
	}{
		"its secret":           {path, signature, []string{"new"}, true},
		"the older of two":     {path, signing.Sign(path, "old"), []string{"new", "old"}, true},
		"another secret":       {path, signature, []string{"other"}, false},
		"no secret":            {path, signature, nil, false},
		"an empty secret":      {path, signing.Sign(path, ""), []string{""}, false},
		"another path":         {"/i/card.png?title=a%20b&v=2", signature, []string{"new"}, false},
		"another encoding":     {"/i/card.png?title=a+b&v=1", signature, []string{"new"}, false},
		"no signature":         {path, "", []string{"new"}, false},
		"half a signature":     {path, signature[:20], []string{"new"}, false},
		"more than one":        {path, signature + signature, []string{"new"}, false},
		"not base64":           {path, signature[:42] + "!", []string{"new"}, false},
		"padded":               {path, signature + "=", []string{"new"}, false},
		"a webhook's HMAC":     {path, webhookHMAC(path, "new"), []string{"new"}, false},
		"a line break in it":   {path, signature[:10] + "\n" + signature[10:], []string{"new"}, false},
		"another last letter":  {path, otherLast(signature), []string{"new"}, false},
		"another first letter": {path, otherFirst(signature), []string{"new"}, false},
	} {
		if got := signing.Verify(c.path, c.signature, c.secrets...); got != c.want {
			t.Errorf("Verify with %s = %v, want %v", name, got, c.want)
		}
	}
}

func webhookHMAC(path, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(path))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// otherLast changes only the bits that base64 leaves unused at the end, which a
// lenient decoder would not see.
func otherLast(s string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(letters, s[len(s)-1])
	return s[:len(s)-1] + string(letters[at^1])
}

func otherFirst(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

func FuzzVerifyAcceptsOnlyWhatSignMade(f *testing.F) {
	f.Add("/i/a.png", "")
	f.Add("/i/a.png", signing.Sign("/i/a.png", "secret"))
	f.Fuzz(func(t *testing.T, path, signature string) {
		if signing.Verify(path, signature, "secret") != (signature == signing.Sign(path, "secret")) {
			t.Errorf("Verify(%q, %q) disagrees with Sign", path, signature)
		}
	})
}
