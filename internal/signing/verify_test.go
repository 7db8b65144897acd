package signing_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/signing"
)

const vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// vector is the test vector that the libraries of Standard Webhooks share.
func vector() (http.Header, []byte) {
	return http.Header{
		"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"},
		"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	}, []byte(`{"test": 2432232314}`)
}

func TestVectorOfStandardWebhooksVerifies(t *testing.T) {
	h, body := vector()
	for name, secrets := range map[string][]string{
		"its secret": {vectorSecret}, "without prefix": {vectorSecret[len("whsec_"):]}, "the older of two": {signing.NewSecret(), vectorSecret},
		"beside one that is none": {"whsec_!", vectorSecret},
	} {
		if !signing.VerifyWebhook(h, body, secrets...) {
			t.Errorf("%s: refused", name)
		}
	}
	for name, secrets := range map[string][]string{"another": {signing.NewSecret()}, "none": nil, "empty": {""}} {
		if signing.VerifyWebhook(h, body, secrets...) {
			t.Errorf("%s: taken", name)
		}
	}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		h, body := vector()
		h.Del(name)
		if signing.VerifyWebhook(h, body, vectorSecret) {
			t.Errorf("taken without %s", name)
		}
	}
}

func TestSenderOfStandardWebhooksIsVerified(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	now := time.Now()
	body := []byte(`{"a":1}`)
	signature, err := mustReceiver(t, secret).Sign("msg_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("webhook-id", "msg_1")
	h.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	h.Set("webhook-signature", "v1,Zm9yZ2Vk "+signature)
	if !signing.VerifyWebhook(h, body, secret) {
		t.Error("refused")
	}
	if signing.VerifyWebhook(h, []byte(`{"a":2}`), secret) {
		t.Error("another body is taken")
	}
}

func TestFreshIsWithinFiveMinutes(t *testing.T) {
	now := time.Unix(1_700_000_000, 999_999_999)
	for sent, want := range map[string]bool{
		"1700000000": true, "1699999700": true, "1700000300": true, "1699999699": false, "1700000301": false,
		"0": false, "-1700000000": false, "9223372036854775807": false, "-9223372036854775808": false, "99999999999999999999": false,
		"": false, "now": false, "1700000000.0": false, " 1700000000": false,
	} {
		if got := signing.Fresh(sent, now); got != want {
			t.Errorf("Fresh(%q) = %v, want %v", sent, got, want)
		}
	}
}
