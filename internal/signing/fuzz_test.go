package signing_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/signing"
)

// The headers of a call come from whoever calls.
func FuzzVerifyWebhookAcceptsOnlyWhatTheSecretMade(f *testing.F) {
	key := []byte("a key of at least 24 bytes, here")
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	sign := func(id, at, body string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "." + body))
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	f.Add("msg_1", "1700000000", sign("msg_1", "1700000000", "{}"), "{}")
	f.Add("msg_1", "1700000000", "v1, "+sign("msg_1", "1700000000", "{}")+" v2,x", "{}")
	f.Add("msg.1", "1", "v1,", "")
	f.Add("", "", " ", "{}")
	f.Add("msg_1", "-9223372036854775809", "v1a,AAAA v1,AAAA", "\x00")
	f.Fuzz(func(t *testing.T, id, at, signature, body string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {signature}}
		want := id != "" && at != "" && strings.Contains(" "+signature+" ", " "+sign(id, at, body)+" ")
		if got := signing.VerifyWebhook(h, []byte(body), "whsec_AAAA", secret); got != want {
			t.Fatalf("%q at %q with %q of %q: %v, want %v", id, at, signature, body, got, want)
		}
		signing.Fresh(at, time.Unix(1_700_000_000, 0)) // whatever it says, it does not panic
	})
}
